"""./chatmill bench: how fast webhooks are acknowledged and answered on this machine."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.load import ANSWERING, SEARCHING
from bench.reference import reference_route
from bench.report import print_report
from local import documents, installation
from local.migrations import connection_to, migrate
from local.places import ROOT, STATE
from local.postgres import Postgres, open_postgres
from local.progress import Progress
from local.running import Options, Prepared, Running, running
from local.secrets_file import load_secrets

RESULTS = ROOT / "bench" / "results"
ONE_AT_A_TIME = {"in one process": 200, "isolated": 10}
AT_50 = {"in one process": 600, "isolated": 25}
WARMING_UP = {"in one process": 20, "isolated": 2}


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    modes = ["isolated"] if options.isolated_only else ["in one process", "isolated"]
    progress = Progress(None if options.json else sys.stdout)
    with open_postgres(STATE) as postgres:
        results = {mode: measure(postgres, mode, progress) for mode in modes}
    report = {"commit": commit(), "machine": machine(), "modes": results}
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print_report(report)
    print(f"written to {write(report).relative_to(ROOT)}", file=sys.stderr)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill bench",
        description="Model and Graph API answer at once, debounce 0; one load process beside.",
    )
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument(
        "--isolated-only", action="store_true", help="only with a process for every step"
    )
    return parser.parse_args(arguments)


def measure(postgres: Postgres, mode: str, progress: Progress) -> dict:
    """On a database of its own, made anew."""
    resource = fresh_database(postgres)
    secrets = load_secrets(STATE)
    channel = installation.channels_of(resource, installation.DEMO_ORGANIZATION)["whatsapp"]
    with ExitStack() as stack:
        load = stack.enter_context(load_process(secrets.access_token, channel.account_id))
        ready = Prepared(resource, model_at(load.addresses["model"]), secrets)
        add_documents(ready)
        how = Options(
            isolated=mode == "isolated", extra_routes=[reference_route(resource)], with_graph=False
        )
        organization_id = installation.DEMO_ORGANIZATION
        installation.connect_channels(resource, organization_id, secrets, load.addresses["graph"])
        local = stack.enter_context(running(ready, organization_id, Progress(), how))
        return figures(load, local, mode, progress)


def figures(load, local: Running, mode: str, progress: Progress) -> dict:
    webhook = {"url": local.route("whatsapp"), "app_secret": local.prepared.secrets.app_secret}
    reference = {"url": f"{local.server.base_url}/reference"}
    found: dict = {}

    def measure_both(name: str, command: str, values: dict, one: int, at_50: int) -> None:
        with progress.phase(f"{name.capitalize()}, {mode}"):
            load.do(command, **values, total=WARMING_UP[mode], at_a_time=1)
            found[f"{name}, 1 at a time"] = load.do(command, **values, total=one, at_a_time=1)
            found[f"{name}, 50 at a time"] = load.do(command, **values, total=at_50, at_a_time=50)

    measure_both("reference", "requests", reference, 300, 1500)
    for name, text in (("answer", ANSWERING), ("search and answer", SEARCHING)):
        values = {**webhook, "text": text}
        measure_both(name, "messages", values, ONE_AT_A_TIME[mode], AT_50[mode])
    return found


class LoadProcess:
    def __init__(self, process: subprocess.Popen):
        self._process = process
        self.addresses = self._answer()

    def do(self, command: str, **values) -> dict:
        self._process.stdin.write(json.dumps([command, values]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load process ended; its reason is printed above")
        return json.loads(line)


@contextmanager
def load_process(access_token: str, phone_number_id: str):
    command = [sys.executable, "-Pm", "bench.load", access_token, phone_number_id]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            yield LoadProcess(process)
        finally:
            process.terminate()


def fresh_database(postgres: Postgres) -> dict:
    name = f"{postgres.resource['dbname']}_bench"
    connection = postgres.connect()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'drop database if exists "{name}" with (force)')
    connection.close()
    resource = postgres.database(name)
    migrate(resource)
    return resource


def model_at(base_url: str) -> dict:
    return {
        "base_url": base_url,
        "api_key": "bench",
        "model": "chatmill-offline",
        "embedding_model": "hashing-384",
    }


def add_documents(ready: Prepared) -> None:
    organization_id = installation.DEMO_ORGANIZATION
    articles = documents.demo_documents()
    documents.add_documents(ready.resource, ready.model, organization_id, articles)
    with connection_to(ready.resource) as connection, connection.cursor() as cursor:
        cursor.execute("update chatbots set debounce_seconds = 0")
        connection.commit()


def commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()

    changed = "-changed" if git("status", "--porcelain", "--untracked-files=no") else ""
    return f"{git('rev-parse', '--short', 'HEAD') or 'unknown'}{changed}"


def machine() -> dict:
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def write(report: dict) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{report['commit']}.json"
    path.write_text(json.dumps(report, indent=2) + "\n")
    return path
