"""What a step sees of its process: Windmill's environment, and an exit that ends only the step."""

import os
import threading
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar, copy_context

# Windmill clears the worker's environment for a job and keeps these.
INHERITED = ("PATH", "TZ", "HOME", "LANG")

_job: ContextVar[dict | None] = ContextVar("job_environment", default=None)
_lock = threading.Lock()
_installations = 0
process_environ = os.environ
_real_exit = os._exit


class HardExit(BaseException):
    """A step called os._exit in one-process mode; only the step ends."""

    def __init__(self, code: int):
        super().__init__(code)
        self.code = code


class JobEnviron(MutableMapping):
    """os.environ that answers with the running job's variables, else with the process's own.

    Threads that a step starts have no job of their own: they get `shared`, which all jobs share.
    """

    def __init__(self, process: MutableMapping, shared: Mapping):
        self._process = process
        self.shared = dict(shared)

    def _current(self) -> MutableMapping:
        job = _job.get()
        return self._process if job is None else job

    def __getitem__(self, name):
        current = self._current()
        if current is self._process and name not in current and name in self.shared:
            return self.shared[name]
        return current[name]

    def __setitem__(self, name, value):
        if not isinstance(value, str):
            raise TypeError(f"str expected, not {type(value).__name__}")
        self._current()[name] = value

    def __delitem__(self, name):
        del self._current()[name]

    def __iter__(self):
        return iter(list(self._current()))

    def __len__(self):
        return len(self._current())

    def __repr__(self):
        return f"JobEnviron({len(self)} variables)"

    def copy(self) -> dict:
        return dict(self)


def install(shared: Mapping) -> None:
    global _installations
    with _lock:
        _installations += 1
        os.environ = JobEnviron(process_environ, shared)  # noqa: B003  nothing is to be cleared
        os._exit = _exit_step


def uninstall() -> None:
    global _installations
    with _lock:
        _installations -= 1
        if not _installations:
            os.environ, os._exit = process_environ, _real_exit


def inherited() -> dict[str, str]:
    return {name: process_environ[name] for name in INHERITED if name in process_environ}


def run_within(variables: dict[str, str], function: Callable):
    """In a copied context: even a function that is interrupted anywhere leaves nothing behind."""
    context = copy_context()
    context.run(_job.set, dict(variables))
    return context.run(function)


def _exit_step(code: int) -> None:
    if _job.get() is None:
        _real_exit(code)
    raise HardExit(code)
