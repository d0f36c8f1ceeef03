"""Call a Python script's main as Windmill's wrapper does; run as a file, it is one step's process.

Only light modules of the standard library are imported here: an isolated step pays each time.
"""

import base64
import json
import re
import sys
import traceback
from collections.abc import Callable, Mapping

# Windmill's own expression, text included: a result that says "Infinity" loses the word.
_NOT_JSON = re.compile(r"(?:\bNaN\b|\\*\\u0000|Infinity|\-Infinity)")

_TAKES_KEYWORDS = 0x08  # inspect.CO_VARKEYWORDS


def call(function: Callable, args: Mapping) -> str:
    """The result as JSON text; what the function raises rises."""
    return to_json(function(**args))


def bind(function: Callable, args: Mapping) -> dict:
    """Missing required arguments are None, defaults stand in for null, extra ones are dropped."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    defaults = function.__defaults__ or ()
    defaulted = {*names[code.co_argcount - len(defaults) : code.co_argcount]}
    defaulted.update(function.__kwdefaults__ or ())
    bound = {
        name: _coerced(args.get(name), function.__annotations__.get(name))
        for name in names
        if name not in defaulted or args.get(name) is not None
    }
    if code.co_flags & _TAKES_KEYWORDS:
        bound.update({name: value for name, value in args.items() if name not in names})
    return {name: value for name, value in bound.items() if value != "<function call>"}


def _coerced(value, annotation):
    """Only bytes, datetime and date are converted at run time; other annotations shape the form."""
    kind = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    if not isinstance(value, str) or kind not in _COERCIONS:
        return value
    return _COERCIONS[kind](value)


def _datetime(text: str):
    from datetime import datetime

    return datetime.fromisoformat(text)


def _date(text: str):
    return _datetime(text).date()


_COERCIONS = {
    "bytes": base64.b64decode,
    "datetime": _datetime,
    "datetime.datetime": _datetime,
    "date": _date,
    "datetime.date": _date,
}


def to_json(result) -> str:
    if hasattr(result, "__next__"):
        result = "".join(str(chunk) for chunk in result)
    elif type(result).__name__ == "DataFrame":
        result = result.values.tolist()
    elif isinstance(result, bytes):
        result = _base64(result)
    elif isinstance(result, dict):
        result = {key: _base64(v) if isinstance(v, bytes) else v for key, v in result.items()}
    return _dump(result)


def error_json(exc: BaseException, step_id: str) -> str:
    """`extra` is the exception's own attributes: what retry_if and failure modules decide on."""
    frames = traceback.format_tb(_without_our_frames(exc.__traceback__))
    error = {"message": str(exc), "name": type(exc).__name__, "stack": "\n".join(frames)}
    if exc.__dict__:
        error["extra"] = exc.__dict__
    if step_id:
        error["step_id"] = step_id
    return _dump({"error": error})


def _without_our_frames(frames):
    """Windmill leaves its wrapper out of the stack too."""
    our_folder = __file__.rpartition("/")[0]
    while frames.tb_next and frames.tb_frame.f_code.co_filename.rpartition("/")[0] == our_folder:
        frames = frames.tb_next
    return frames


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _dump(value) -> str:
    return _NOT_JSON.sub(" null ", json.dumps(value, separators=(",", ":"), default=str))


def _load_function(request: dict) -> Callable:
    import importlib
    import types

    if request["content"] is None:
        module = importlib.import_module(request["module"])
    else:
        module = types.ModuleType("inner_script")
        sys.modules["inner_script"] = module
        exec(compile(request["content"], request["module"], "exec"), module.__dict__)
    return getattr(module, request["function"])


def run_process(directory: str) -> int:
    with open(f"{directory}/request.json", encoding="utf-8") as file:
        request = json.load(file)
    function = _load_function(request)
    args = bind(function, request["args"])
    try:
        answer, code = '{"result":' + call(function, args) + "}", 0
    except BaseException as exc:  # noqa: BLE001  the one door where a step's error becomes a value
        answer, code = error_json(exc, request["step_id"]), 1
    with open(f"{directory}/result.json", "w", encoding="utf-8") as file:
        file.write(answer)
    return code


if __name__ == "__main__":
    sys.exit(run_process(sys.argv[1]))
