"""Phases of a command with the time that each took, as lines and as facts."""

import time
from contextlib import contextmanager


class Progress:
    """Lines go to `stream`; on a terminal the line of the running phase is shown at once."""

    def __init__(self, stream=None):
        self._stream = stream
        self.phases: list[dict] = []

    @contextmanager
    def phase(self, name: str):
        started = time.perf_counter()
        self._show(f"  {name} ...", end="\r", only_on_terminal=True)
        yield
        seconds = time.perf_counter() - started
        self.phases.append({"name": name, "seconds": round(seconds, 3)})
        self._show(f"  {name:<62} {duration(seconds):>9}")

    def _show(self, line: str, end: str = "\n", only_on_terminal: bool = False) -> None:
        if self._stream and (not only_on_terminal or self._stream.isatty()):
            print(line, end=end, file=self._stream, flush=True)


def duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
