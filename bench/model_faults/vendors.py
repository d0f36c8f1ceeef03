"""The vendors' processes: each killed now and then, and started again on its port."""

import json
import random
import socket
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from threading import Event, Thread

from local.places import ROOT

HOW_MANY = 3
DOWN_SECONDS = 1.5


class Vendor:
    def __init__(self, port: int, faults: dict[str, float], counted: Counter):
        self.port = port
        self._faults = json.dumps(faults)
        self._counted = counted

    def start(self, seed: int) -> None:
        facts = [str(self.port), str(seed), self._faults]
        self._process = subprocess.Popen(
            [sys.executable, "-Pm", "bench.model_faults.vendor", *facts],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
        )
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError("a vendor did not start; its reason is printed above")
        self._counting = Thread(target=self._count, args=[self._process.stdout], daemon=True)
        self._counting.start()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._counting.join()

    def _count(self, lines) -> None:
        with lines:
            for line in lines:
                self._counted[line.strip()] += 1


@contextmanager
def vendors(chance: random.Random, kill_every_seconds: float, faults: dict[str, float]):
    """(addresses, faults counted so far); killed one at a time."""
    counted: Counter = Counter()
    found = [Vendor(free_port(), faults, counted) for _ in range(HOW_MANY)]
    over = Event()

    def kill_some() -> None:
        while not over.wait(kill_every_seconds * chance.uniform(0.5, 1.5)):
            victim = chance.choice(found)
            victim.kill()
            counted["killed"] += 1
            over.wait(DOWN_SECONDS)
            victim.start(chance.randrange(10**6))

    for one in found:
        one.start(chance.randrange(10**6))
    killer = Thread(target=kill_some, daemon=True)
    killer.start()
    try:
        yield [f"http://127.0.0.1:{one.port}/v1" for one in found], counted
    finally:
        over.set()
        killer.join()
        for one in found:
            one.kill()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
