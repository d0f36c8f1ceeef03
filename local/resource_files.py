"""./chatmill resources: the database resources for Windmill, one for each role of the steps."""

import argparse
import json
import os
from pathlib import Path

from local.errors import CannotRun
from local.logins import role_resources
from local.migrations import migrate
from local.places import STATE, private_folder
from local.postgres import open_postgres
from local.secrets_file import load_secrets, write_private


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    if not os.environ.get("DATABASE_URL"):
        raise CannotRun("set DATABASE_URL to the database that Windmill's workers will use.")
    with open_postgres(STATE) as postgres:
        migrate(postgres.resource)
        logins = role_resources(postgres.resource, load_secrets(STATE).login_key)
    reached = {"host": options.host, "port": options.port}
    for path, resource in logins.items():
        changes = {name: value for name, value in reached.items() if value}
        file = write_resource(STATE / "resources", path, {**resource, **changes})
        print(f"npx wmill resource push {file} {path}")
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill resources",
        description="Make the logins of the steps in the database of DATABASE_URL, write them as"
        " Windmill's resources into .chatmill/resources (only you can read them), and print the"
        " commands that push them.",
    )
    parser.add_argument("--host", help="where workers reach the database, if it differs")
    parser.add_argument("--port", type=int, help="its port there")
    return parser.parse_args(arguments)


def write_resource(folder: Path, path: str, value: dict) -> Path:
    file = private_folder(folder) / f"{path.rsplit('/', 1)[1]}.resource.json"
    write_private(file, json.dumps({"resource_type": "postgresql", "value": value}, indent=2))
    return file
