"""./chatmill resources: what Windmill needs of this installation: databases and the sealing key."""

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

SEALING_KEY = "f/chat/sealing_key"


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    if not os.environ.get("DATABASE_URL"):
        raise CannotRun("set DATABASE_URL to the database that Windmill's workers will use.")
    with open_postgres(STATE) as postgres:
        migrate(postgres.resource)
        secrets = load_secrets(STATE)
        logins = role_resources(postgres.resource, secrets.login_key)
    reached = {"host": options.host, "port": options.port}
    for path, resource in logins.items():
        changes = {name: value for name, value in reached.items() if value}
        value = {"resource_type": "postgresql", "value": {**resource, **changes}}
        print(f"npx wmill resource push {written(path, 'resource', value)} {path}")
    # What `channel add`, `models` and `tools` seal here is opened by the steps there.
    value = {"value": secrets.sealing_key, "is_secret": True, "description": "Keep a copy."}
    file = written(SEALING_KEY, "variable", value)
    print(f"npx wmill variable push --plain-secrets {file} {SEALING_KEY}")
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill resources",
        description="Make the logins of the steps in the database of DATABASE_URL, write them as"
        " Windmill's resources into .chatmill/resources, with this installation's sealing key (only"
        " you can read them), and print the commands that push them.",
    )
    parser.add_argument("--host", help="where workers reach the database, if it differs")
    parser.add_argument("--port", type=int, help="its port there")
    return parser.parse_args(arguments)


def written(path: str, kind: str, value: dict) -> Path:
    file = private_folder(STATE / "resources") / f"{path.rpartition('/')[2]}.{kind}.json"
    write_private(file, json.dumps(value, indent=2))
    return file
