"""Stop a step that runs in a thread: an exception is raised in it where it next runs Python."""

import ctypes
import threading
from collections.abc import Callable


class Interruption(BaseException):
    """The step was cancelled or went over its timeout."""


class InterruptibleCall:
    """One call that another thread may interrupt, once, and only while the call lasts."""

    def __init__(self, function: Callable):
        self._function = function
        self._lock = threading.Lock()
        self._thread_id: int | None = None
        self._interrupted = False

    def __call__(self):
        try:
            try:
                self._open()
                return self._function()
            finally:
                self._close()
        except Interruption:
            # The exception may have arrived within _close itself; closing again is harmless.
            self._close()
            raise

    def interrupt(self) -> None:
        with self._lock:
            if self._thread_id is not None and not self._interrupted:
                _raise_in_thread(self._thread_id, Interruption)
            self._interrupted = True

    def _open(self) -> None:
        with self._lock:
            if self._interrupted:
                raise Interruption
            self._thread_id = threading.get_ident()

    def _close(self) -> None:
        with self._lock:
            if self._thread_id is not None:
                _raise_in_thread(self._thread_id, None)
                self._thread_id = None


def _raise_in_thread(thread_id: int, exception: type[BaseException] | None) -> None:
    """With None, an exception that is set but not yet raised is taken back."""
    pending = ctypes.py_object(exception) if exception else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), pending)
