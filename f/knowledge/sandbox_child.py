"""The process that reads one untrusted file: it gives up its rights, then looks at the bytes.

It starts with an empty environment and three pipes. What each layer stops is in sandbox.py.
"""

import codecs
import importlib
import json
import os
import resource
import sys

import f.knowledge.reading as reading
import f.knowledge.system_calls as system_calls
from f.shared.errors import InputRefused

READY = b"ready\n"
CODECS = (
    *("ascii", "latin-1", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp437"),
    *(f"cp{page}" for page in (*range(1250, 1259), 932, 936, 949, 950)),
    *(f"iso8859-{part}" for part in (*range(1, 12), 13, 14, 15, 16)),
    *("mac_roman", "koi8-r", "koi8-u", "shift_jis", "euc_jp", "euc_kr"),
    *("gb2312", "gbk", "gb18030", "big5"),
)


def serve(module: str, memory_bytes: int, cpu_seconds: int) -> None:
    limit(resource.RLIMIT_AS, memory_bytes)
    limit(resource.RLIMIT_CORE, 0)
    os.nice(5)
    reader = importlib.import_module(module)
    warm_up(reader)
    give_up_rights(cpu_seconds)
    os.write(1, READY)
    sys.excepthook = say_where
    answer(reader)


def warm_up(reader) -> None:
    """What Python and its packages load from files on first use must be there before."""
    for codec in CODECS:
        codecs.lookup(codec)
    if hasattr(reader, "warm_up"):
        reader.warm_up()


def limit(kind: int, most: int) -> None:
    """A container may have set less already, and macOS knows some limits by name only."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(kind, (most, most))
    except (ValueError, OSError):
        if sys.platform == "linux":
            raise


def give_up_rights(cpu_seconds: int) -> None:
    # With no number left for a new one, no file, socket or pipe can be opened, on any system.
    limit(resource.RLIMIT_NOFILE, 0)
    limit(resource.RLIMIT_FSIZE, 0)
    limit(resource.RLIMIT_NPROC, 0)
    # The first limit ends the process with a signal that tells why; the second can't be ignored.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    system_calls.restrict()


def answer(reader) -> None:
    content = sys.stdin.buffer.read()
    try:
        found = reading.read(reader, content)
    except InputRefused as refusal:
        found = {"refused": refusal.code}
    except (MemoryError, RecursionError):
        found = {"refused": "document_too_complex"}
    sys.stdout.buffer.write(json.dumps(found, ensure_ascii=False).encode())
    sys.stdout.buffer.flush()
    # Taking an interpreter down properly would only cost time, and calls that are forbidden here.
    os._exit(0)


def say_where(kind: type[BaseException], error: BaseException, trace) -> None:
    """For the log: no message, for it may quote the document."""
    if isinstance(error, MemoryError):
        os._exit(reading.OUT_OF_MEMORY)
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    os.write(2, f"{kind.__name__} at {place}\n".encode())
    os._exit(1)
