"""Which process a Postgres data folder belongs to."""

from pathlib import Path

import psutil


def server_process(data: Path) -> psutil.Process | None:
    """The one in postmaster.pid, unless its number has been given to another program since."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n")[0])
        process = psutil.Process(pid)
        is_ours = process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None
    return process if is_ours else None
