"""Evaluate one JavaScript function body in a QuickJS context of its own, within limits."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import quickjs

# Results are turned to JSON as Windmill's QuickJS evaluator does: undefined becomes null even
# inside objects, and objects with a toJSON of their own (dates) only show their own properties.
_PRELUDE = r"""
var __asked = [];
var __state = 'pending', __value = '';
function __ask(kind, path) {
  return new Promise((resolve, reject) => { __asked.push([kind, String(path), resolve, reject]); });
}
function __answer(found, text) {
  const [, , resolve, reject] = __asked.shift();
  found ? resolve(JSON.parse(text)) : reject(new Error(text));
}
function variable(path) { return __ask('variable', path); }
function resource(path) { return __ask('resource', path); }
function __plain(key) {
  const value = this[key];
  if (value === undefined) return null;
  if (typeof value === 'bigint' || typeof value === 'symbol') return '[object]';
  const hidesItself = typeof value === 'function' || typeof value?.toJSON === 'function';
  return hidesItself ? {...value} : value;
}
function __settle(promise) {
  promise.then(value => { __value = JSON.stringify(value, __plain) ?? 'null'; __state = 'done'; })
    .catch(error => {
      __value = error instanceof Error ? error.message : String(error); __state = 'failed'; });
}
"""

_RESULTS = r"""
const results = new Proxy({}, {
  get: (_, name) => typeof name === 'symbol' ? undefined : __ask('result', name)
});
"""

# Windmill derives `error` from the result before, wherever the expression's text says "error".
_ERROR = r"""
let error = previous_result?.error;
if (!error && Array.isArray(previous_result)) {
  const isError = item => item && typeof item === 'object' && 'error' in item;
  const failed = previous_result.filter(isError);
  const text = ({error: e}, i) => `[${e.step_id || i}] ${e.message || e.name}`;
  error = failed.length === 1 ? failed[0].error : {
    name: 'MultipleErrors', errors: previous_result,
    message: failed.length ? failed.map(text).join('; ') : 'Could not parse errors' };
} else if (!error) {
  error = previous_result
    ? {name: 'UnknownError', message: 'Could not parse the error', error: previous_result}
    : {name: 'UnknownError', message: 'No error found'};
}
"""


class SandboxError(Exception):
    """The code threw, was no JavaScript, or went over a limit."""


@dataclass(frozen=True)
class Limits:
    """Windmill's own are 10 s and 128 MB; the size of a result is bounded here alone."""

    seconds: float = 10
    memory_bytes: int = 128 * 1024 * 1024
    result_bytes: int = 16 * 1024 * 1024


WINDMILL = Limits()


@dataclass(frozen=True)
class Sandbox:
    """`names` become globals; `answer(kind, path)` serves results.x, variable() and resource()."""

    names: dict
    answer: Callable[[str, str], object]
    has_results: bool = False
    has_error: bool = False
    limits: Limits = WINDMILL

    def evaluate(self, body: str):
        try:
            return self._evaluate(body)
        except quickjs.JSException as exc:
            raise SandboxError(_message(exc)) from exc
        except RecursionError as exc:
            raise SandboxError("the value is nested too deeply") from exc

    def _evaluate(self, body: str):
        if "\0" in body:
            raise SandboxError("unexpected character")
        context = self._new_context()
        context.eval(f"__settle((async function() {{ {body} }})())")
        self._run(context)
        state, value = context.get("__state"), context.get("__value")
        if state != "done":
            raise SandboxError(value or "the expression never finished")
        if len(value) > self.limits.result_bytes:
            raise SandboxError(f"the result is larger than {self.limits.result_bytes} bytes")
        return json.loads(value)

    def _new_context(self) -> quickjs.Context:
        context = quickjs.Context()
        context.set_time_limit(self.limits.seconds)
        context.set_memory_limit(self.limits.memory_bytes)
        context.eval(_PRELUDE + (_RESULTS if self.has_results else ""))
        for name, value in self.names.items():
            context.set(name, context.parse_json(json.dumps(value)))
        if self.has_error:
            context.eval(_ERROR)
        return context

    def _run(self, context: quickjs.Context) -> None:
        """Python callables are not allowed under a time limit, so the code's questions queue up."""
        while True:
            while context.execute_pending_job():
                pass
            if not context.eval("__asked.length"):
                return
            kind, path = context.eval("__asked[0][0]"), context.eval("__asked[0][1]")
            self._answer(context, kind, path)

    def _answer(self, context: quickjs.Context, kind: str, path: str) -> None:
        try:
            found, text = True, json.dumps(self.answer(kind, path))
        except LookupError as exc:
            found, text = False, str(exc.args[0])
        context.get("__answer")(found, text)


def _message(exc: quickjs.JSException) -> str:
    """The exception's text without its class and its position: SyntaxError: ... at <input>:1:30."""
    first = str(exc).split("\n    at ")[0].rstrip()
    return first.split(": ", 1)[-1]
