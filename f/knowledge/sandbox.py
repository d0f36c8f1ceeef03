"""Run the reader of an untrusted file in a process of its own, within limits, without rights.

All of it is in force before the file is seen:

- a fresh interpreter with an empty environment, three pipes and its own process group, killed
  whole after a wall time or too large an answer (everywhere);
- no new file descriptors, so no files, sockets or pipes; files of 0 bytes; CPU time (everywhere);
- address space (Linux; macOS ignores it), no new processes (everywhere, but not for root);
- a list of allowed system calls (system_calls.py: Linux on x86-64 and ARM64), which holds for
  root as well, and stops other programs and signals to other processes.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import f.knowledge.sandbox_child as sandbox_child
from f.knowledge.reading import OUT_OF_MEMORY
from f.knowledge.refusals import refused
from f.shared.errors import Misconfigured

BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    "import f.knowledge.sandbox_child as child; child.serve(*json.loads(sys.argv[2]))"
)
PIPE_BYTES = 64 * 1024
MAX_LOG_BYTES = 4096
# Each may take half a gigabyte: many uploads at once wait, so that replies are not slowed.
_places = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Limits:
    memory_bytes: int = 512 * 1024 * 1024
    cpu_seconds: int = 20
    wall_seconds: float = 30
    output_bytes: int = 20 * 1024 * 1024


LIMITS = Limits()


def run(reader: str, content: bytes, limits: Limits | None = None) -> dict:
    """What `reading.read` of that module said. Raises InputRefused with a code."""
    limits = limits or LIMITS
    with _places:
        process = start(reader, limits)
        try:
            output, log = exchange(process, content, limits)
            code = process.wait()
        finally:
            kill_group(process)
    if not output.startswith(sandbox_child.READY):
        raise Misconfigured(f"the reader of documents could not start: {last_line(log)}")
    if code:
        raise refused(code_of_end(code, last_line(log), reader))
    found = json.loads(output[len(sandbox_child.READY) :])
    if "refused" in found:
        raise refused(found["refused"])
    return found


def start(reader: str, limits: Limits) -> subprocess.Popen:
    # On Windmill the imported scripts lie in the job's folder, not on the path.
    root = str(Path(sandbox_child.__file__).parents[2])
    arguments = [reader, limits.memory_bytes, limits.cpu_seconds]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", BOOT]
        + [json.dumps([root, *filter(None, sys.path)]), json.dumps(arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env={},
        start_new_session=True,
    )


def exchange(process: subprocess.Popen, content: bytes, limits: Limits) -> tuple[bytes, bytes]:
    """The content in, output and log out, within time and size."""
    end = time.monotonic() + limits.wall_seconds
    received = {process.stdout: bytearray(), process.stderr: bytearray()}
    waiting = memoryview(content)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(process.stderr, selectors.EVENT_READ)
        os.set_blocking(process.stdin.fileno(), False)
        selector.register(process.stdin, selectors.EVENT_WRITE)
        while process.stdout in selector.get_map() or process.stderr in selector.get_map():
            if time.monotonic() > end:
                raise refused("document_too_slow")
            for key, _ in selector.select(max(0, end - time.monotonic())):
                if key.fileobj is process.stdin:
                    waiting = send(selector, process.stdin, waiting)
                else:
                    receive(selector, key.fileobj, received[key.fileobj])
            if len(received[process.stdout]) > limits.output_bytes:
                raise refused("document_too_large")
    return bytes(received[process.stdout]), bytes(received[process.stderr])


def send(selector, pipe, waiting: memoryview) -> memoryview:
    try:
        waiting = waiting[os.write(pipe.fileno(), waiting[:PIPE_BYTES]) :]
    except BrokenPipeError:
        waiting = waiting[:0]
    if not waiting:
        selector.unregister(pipe)
        pipe.close()
    return waiting


def receive(selector, pipe, received: bytearray) -> None:
    part = os.read(pipe.fileno(), PIPE_BYTES)
    if part:
        received += part
    else:
        selector.unregister(pipe)


def kill_group(process: subprocess.Popen) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # Gone; macOS says it with the other error.
        pass
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()


def last_line(log: bytes) -> str:
    return (log[-MAX_LOG_BYTES:].decode(errors="replace").strip().splitlines() or ["no reason"])[-1]


def code_of_end(code: int, log: str, reader: str) -> str:
    if code == -signal.SIGXCPU:
        return "document_too_slow"
    if code < 0 or code == OUT_OF_MEMORY:
        return "document_too_complex"
    # A kind of damage that the reader does not know by name; developers may want to.
    print(f"document_not_read reader={reader} {log}")
    return "document_broken"
