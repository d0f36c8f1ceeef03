"""A Postgres of its own for a run that leaves nothing behind."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.cluster_home import MEMORY
from local.postgres import Postgres, open_postgres

LEAST_BYTES = 2 * 1024**3


@contextmanager
def open_scratch_postgres(purpose: str) -> Iterator[tuple[Path, Postgres]]:
    """The folder that it is opened in and the server, in memory where there is room: its processes
    are killed and its files kept as on a disk, and nobody waits for the disk."""
    folder_prefix = f"chatmill-{purpose}-"
    with tempfile.TemporaryDirectory(prefix=folder_prefix, dir=_memory()) as folder:
        with open_postgres(Path(folder)) as server:
            yield Path(folder), server
            cluster = Path(server.resource["host"])
        if cluster.is_relative_to(MEMORY):
            shutil.rmtree(cluster, ignore_errors=True)  # root's is not in the folder above


def _memory() -> Path | None:
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < LEAST_BYTES:
        return None
    return MEMORY
