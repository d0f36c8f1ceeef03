"""./chatmill connect: seal a channel's credentials into its row, for Windmill's engine to open.

They come from the terminal or standard input, never from arguments: those are seen by everybody
on the machine, and a job's are stored by Windmill.
"""

import argparse
import getpass
import json
import sys

from f.channels.accounts import sealing_place
from f.shared.crypto import seal
from f.shared.errors import Misconfigured
from local.errors import CannotRun
from local.migrations import connection_to
from local.places import STATE
from local.postgres import open_postgres

CREDENTIALS = ("app_secret", "verify_token", "access_token")
ASKED = {
    "sealing_key": "Sealing key (Windmill's variable f/chat/sealing_key)",
    "app_secret": "App secret (Meta: App settings > Basic)",
    "verify_token": "Verify token (yours; enter the same at Meta)",
    "access_token": "Access token (Meta: a system user's)",
}


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    given = read_credentials()
    with open_postgres(STATE) as postgres:
        channel_id = connect(postgres.resource, options.url_key, given)
    print(f"channel {channel_id}: credentials sealed")
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill connect",
        description="Seal a WhatsApp channel's credentials into the database of DATABASE_URL."
        " They are asked for, or read as one JSON object from standard input.",
    )
    parser.add_argument("url_key", help="last part of the channel's webhook address")
    return parser.parse_args(arguments)


def read_credentials() -> dict[str, str]:
    if sys.stdin.isatty():
        return {name: getpass.getpass(f"{question}: ") for name, question in ASKED.items()}
    try:
        given = json.load(sys.stdin)
    except ValueError as error:
        raise CannotRun("standard input is not one JSON object.") from error
    missing = [name for name in ASKED if not isinstance(given, dict) or not given.get(name)]
    if missing:
        raise CannotRun(f"standard input lacks {', '.join(missing)}.")
    return given


def connect(resource: dict, url_key: str, given: dict[str, str]) -> str:
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute("select id from channels where url_key = %s for update", [url_key])
        row = cursor.fetchone()
        if row is None:
            raise CannotRun(f"no channel has the url_key {url_key!r}; add its row first.")
        secrets = json.dumps({name: given[name] for name in CREDENTIALS})
        try:
            sealed = seal(given["sealing_key"], secrets, sealing_place(row[0]))
        except Misconfigured as error:
            raise CannotRun(f"{error}: make one with `openssl rand -base64 32`.") from error
        cursor.execute(
            "update channels set sealed_credentials = %s, api_url = null where id = %s",
            [sealed, row[0]],
        )
        connection.commit()
        return row[0]
