"""The warm parent: everything is imported once, and a worker is a fork of it.

Started with one line of JSON on its standard input, then one line for each worker wanted. It has
one thread and no connection, so that a fork finds nothing half-done.
"""

import gc
import importlib
import json
import os
import signal
import sys
from contextlib import suppress

from bench.chaos import boundaries


def main() -> None:
    setup = json.loads(sys.stdin.readline())
    boundaries.install()
    engine = warm_engine(setup)
    gc.freeze()  # what is shared with the forks stays shared
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for line in sys.stdin:
        if os.fork() == 0:
            live_as_worker(engine, setup, json.loads(line))


def warm_engine(setup: dict):
    from local.running import Options, Prepared, make_engine
    from local.secrets_file import Secrets

    ready = Prepared(setup["resource"], setup["model"], Secrets(**setup["secrets"]))
    engine = make_engine(ready, Options(isolated=setup["isolated"]))
    if not setup["isolated"]:
        for path in engine.workspace.scripts:
            importlib.import_module(path.replace("/", "."))
    return engine


def live_as_worker(engine, setup: dict, wanted: dict) -> None:
    from bench.chaos import worker

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    code = 1
    with suppress(ConnectionError):
        worker.work(engine, setup, wanted)
        code = 0
    os.kill(os.getpid(), signal.SIGKILL) if code == 0 else os._exit(code)


if __name__ == "__main__":
    main()
