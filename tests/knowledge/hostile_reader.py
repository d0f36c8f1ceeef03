"""A reader that a file has taken over: it does what the file says, as far as it is let."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time

from f.knowledge.sections import Section

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE, EXECVE, PTRACE, SOCKET, KILL = 56, 59, 101, 41, 62


def call(number: int, *arguments) -> str:
    done = LIBC.syscall(number, *arguments)
    return "done" if done >= 0 else os.strerror(ctypes.get_errno())


def grow() -> None:
    kept = []
    while True:
        kept.append(bytearray(10_000_000))


def spin() -> None:
    while True:
        pass


ACTS = {
    "environment": lambda: sorted(os.environ),
    "secrets of the parent": lambda: open(f"/proc/{os.getppid()}/environ", "rb").read(),
    "read": lambda: open("/etc/hostname").read(),
    "write": lambda: open("/tmp/chatmill_was_here", "w"),
    "list": lambda: os.listdir("/"),
    "connect": lambda: socket.socket().connect(("127.0.0.1", 9)),
    "pair": lambda: socket.socketpair(),
    "pipe": lambda: os.pipe(),
    "fork": lambda: os.fork(),
    "run": lambda: subprocess.run(["true"]),
    "execute": lambda: os.execv("/bin/true", ["true"]),
    "kill": lambda: os.kill(os.getppid(), signal.SIGTERM),
    "raise limits": lambda: __import__("resource").setrlimit(7, (64, 64)),
    "system call clone": lambda: call(CLONE, 17, 0, 0, 0, 0),
    "system call socket": lambda: call(SOCKET, 2, 1, 0),
    "system call ptrace": lambda: call(PTRACE, 16, os.getppid(), 0, 0),
    "memory": grow,
    "time": spin,
    "sleep": lambda: time.sleep(60),
    "flood": lambda: "x" * 5_000_000,
    "crash": lambda: ctypes.string_at(0),
    "fail": lambda: {}["a word of the document"],
    "log": lambda: sys.stderr.write("x" * 100_000_000) and "",
}


def read(content: bytes) -> tuple[str, list[Section]]:
    try:
        return "", [Section([], None, f"did: {ACTS[content.decode()]()!r}")]
    except OSError as error:
        return "", [Section([], None, f"refused: {error.strerror}")]
