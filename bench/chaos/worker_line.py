"""The line from a worker, or a step's process, to the conductor."""

import json
import os
import socket
import threading


class Conductor:
    """Steps in several threads may speak at once; what was told is read even after a kill."""

    def __init__(self, address: str):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(address)
        self._lock = threading.Lock()
        self.lines = self._socket.makefile("r")

    def wait(self) -> str:
        """Until the conductor says to go on, in the middle of a job."""
        return self.lines.readline()

    def tell(self, event: dict) -> None:
        with self._lock:
            try:
                self._socket.sendall(json.dumps(event).encode() + b"\n")
            except BrokenPipeError:
                os._exit(0)  # the run is over; what is left of this job belongs to nobody
