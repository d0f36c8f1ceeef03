"""Whether this CPU can run the embedded Postgres: its pgvector is compiled for AVX2."""

import os
import platform
from pathlib import Path

from local.errors import CannotRun

CPU_INFO = Path("/proc/cpuinfo")


def check_cpu(machine: str | None = None, cpu_info: Path = CPU_INFO) -> None:
    """Without this, `create extension vector` dies of an illegal instruction."""
    if (machine or platform.machine()) not in ("x86_64", "AMD64") or not cpu_info.exists():
        return
    if "avx2" in cpu_info.read_text().split() or os.environ.get("CHATMILL_IGNORE_CPU") == "1":
        return
    raise CannotRun(
        "this CPU has no AVX2, which the embedded Postgres needs for vectors. Set DATABASE_URL"
        " to a Postgres 15 or newer with pgvector (or CHATMILL_IGNORE_CPU=1 to try anyway)."
    )
