"""./chatmill channel: connect an account of a vendor, and say in words what is wrong with one."""

import argparse
import getpass
import json
import re
import secrets as random_values
import sys
from contextlib import suppress

import f.channels.accounts as accounts
import f.channels.registry as registry
import f.ops.check_channels as check_channels
import local.web_channel as web_channel
from f.channels.accounts import Account
from f.channels.checks import Problem, problem_of
from f.channels.command_words import WORDS
from f.shared.crypto import open_sealed, seal
from f.shared.errors import ChatmillError, Misconfigured
from local.channel_kinds import KINDS, Kind
from local.channel_traffic import traffic_of
from local.errors import CannotRun
from local.migrations import connection_to, migrate
from local.places import STATE
from local.postgres import open_postgres
from local.reach import failing_step
from local.secrets_file import load_secrets
from local.whose import the_chatbot

LISTS = ("automations", "command_languages")
PUBLIC_URL = re.compile(r"https?://[^\s/?#]+[^\s?#]*")

SAVE_CHANNEL = """
insert into channels (id, organization_id, chatbot_id, kind, name, url_key, account_id, api_url,
                      webhook_url, settings, sealed_credentials, after_silence)
values (%(id)s, %(organization_id)s, %(chatbot_id)s, %(kind)s, %(name)s, %(url_key)s,
        %(account_id)s, %(api_url)s, %(webhook_url)s, %(settings)s, %(sealed)s, %(after_silence)s)
on conflict on constraint channels_are_connected_once do update
  set name = coalesce(%(new_name)s, channels.name), api_url = excluded.api_url,
      webhook_url = excluded.webhook_url, settings = channels.settings || excluded.settings,
      sealed_credentials = excluded.sealed_credentials
"""


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    with open_postgres(STATE) as postgres:
        migrate(postgres.resource)
        if options.action == "check":
            return check(postgres.resource, options)
        return add(postgres.resource, options)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chatmill channel", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    adding = actions.add_parser("add", help="connect an account, or renew its credentials")
    adding.add_argument("kind", choices=sorted(KINDS))
    adding.add_argument(
        "--public-url",
        required=True,
        metavar="https://HOST",
        help="where vendors reach this installation",
    )
    adding.add_argument("--organization", default="", help="name or id, where there are several")
    adding.add_argument("--chatbot", default="", help="name or id, where there are several")
    adding.add_argument("--name", help="what teammates call the channel")
    adding.add_argument("--names", default="", help="what it is called by in groups: a,b,c")
    adding.add_argument(
        "--automations",
        default="",
        metavar="IDS",
        help="apps whose messages on the Page are no person's: 123,456",
    )
    adding.add_argument(
        "--command-languages",
        default="",
        metavar="CODES",
        help=f"whose words are commands; all of {','.join(WORDS)} without it",
    )
    adding.add_argument("--api-url", help="the vendor's API, where it is not the public one")
    web_channel.add_options(adding)
    checking = actions.add_parser("check", help="say what is wrong with the channels")
    checking.add_argument("url_key", nargs="?", help="one channel's; all without it")
    return parser.parse_args(arguments)


def add(resource: dict, options: argparse.Namespace) -> int:
    """Credentials are asked for, or read as one JSON object from standard input; never taken from
    arguments, which everybody on the machine can read."""
    if not PUBLIC_URL.fullmatch(options.public_url):
        raise CannotRun("--public-url is https:// and a host, without ? or #.")
    kind = KINDS[options.kind]
    credentials = read_credentials(kind)
    sealing_key = credentials.pop("sealing_key", None) or load_secrets(STATE).sealing_key
    account = connect(resource, sealing_key, kind, options, credentials)
    print(f"channel   {account.channel_id}\nwebhook   {account.credentials['webhook_url']}")
    if "verify_token" in kind.generated:
        print(f"verify    {account.credentials['verify_token']}")
    if kind.name == "web":
        print(web_channel.what_to_do(options.public_url, account))
    print(kind.what_next)
    problems = registry.library(account.kind).check(account.credentials)
    return told(account.credentials["webhook_url"].rpartition("/")[2], problems)


def read_credentials(kind: Kind) -> dict[str, str]:
    if sys.stdin.isatty():
        return {name: getpass.getpass(f"{asked}: ") for name, asked in kind.asked.items()}
    try:
        given = json.load(sys.stdin) if kind.asked else {}
    except ValueError as error:
        raise CannotRun("standard input is not one JSON object.") from error
    missing = [name for name in kind.asked if not isinstance(given, dict) or not given.get(name)]
    if missing:
        raise CannotRun(f"standard input lacks {', '.join(missing)}.")
    return {name: str(one) for name, one in given.items()}


def connect(
    resource: dict, sealing_key: str, kind: Kind, options: argparse.Namespace, given: dict
) -> Account:
    """Asks the vendor first: credentials that it refuses are not kept."""
    credentials = {**given, "api_url": options.api_url, "embed_key": options.embed_key}
    try:
        account_id, settings = kind.identify(credentials)
    except ChatmillError as error:
        raise CannotRun(f"nothing was saved: {problem_of(error).sentence}.") from error
    known = known_channel(resource, sealing_key, kind.name, account_id)
    settings |= web_channel.settings_in(options) | names_in(options, settings, known)
    settings |= lists_in(options)
    if options.embed_key and not known:
        raise CannotRun("no web chat has this embed key.")
    for name in kind.generated:
        kept = known and known.credentials.get(name)
        credentials[name] = given.get(name) or kept or random_values.token_urlsafe(32)
    # Hex: a key that began with "-" would be an option to `--embed-key`.
    url_key = (known and known.settings["url_key"]) or random_values.token_hex(16)
    if kind.name == "web":
        account_id = account_id or url_key
    credentials |= {
        "account_id": account_id,
        "webhook_url": f"{options.public_url.rstrip('/')}{kind.path}/{url_key}",
    }
    channel_id = save(resource, sealing_key, kind, options, credentials, settings, url_key, known)
    try:
        # After it was saved: Meta asks the new address for its handshake in this moment.
        registry.library(kind.name).subscribe(credentials)
    except ChatmillError as error:
        print(f"the vendor did not take the webhook's address yet: {error}", file=sys.stderr)
    return Account(channel_id, "", kind.name, account_id, credentials, settings)


def names_in(options: argparse.Namespace, settings: dict, known: Account | None) -> dict:
    """The vendor's own name for it always counts: Telegram's mentions have no other."""
    given = web_channel.listed(options.names)
    kept = known.settings.get("names", []) if known else []
    names = list(dict.fromkeys([*settings.get("names", []), *(given or kept)]))
    return {"names": names} if names else {}


def lists_in(options: argparse.Namespace) -> dict:
    given = {name: web_channel.listed(getattr(options, name)) for name in LISTS}
    unknown = set(given["command_languages"]) - set(WORDS)
    if unknown:
        raise CannotRun(f"there are no commands in {', '.join(sorted(unknown))}.")
    return {name: values for name, values in given.items() if values}


def known_channel(resource: dict, sealing_key: str, kind: str, account_id: str) -> Account | None:
    """A channel that is connected already; `settings` hold its url_key and chatbot_id too."""
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select id, organization_id, sealed_credentials, settings || jsonb_build_object("
            " 'url_key', url_key, 'chatbot_id', chatbot_id) from channels"
            " where kind = %s and account_id = %s",
            [kind, account_id],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    channel_id, organization_id, sealed, settings = row
    opened = "{}"
    if sealed:
        with suppress(Misconfigured):  # of another key: what was generated is generated anew
            opened = open_sealed(sealing_key, sealed, accounts.sealing_place(channel_id))
    return Account(channel_id, organization_id, kind, account_id, json.loads(opened), settings)


def save(resource, sealing_key, kind, options, credentials, settings, url_key, known) -> str:
    with connection_to(resource) as connection:
        wanted = (options.organization, options.chatbot)
        organization_id, chatbot_id = the_chatbot(connection, *wanted)
    if known and known.settings["chatbot_id"] != chatbot_id:
        raise CannotRun("nothing was saved: this account is connected to another chatbot.")
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute("select gen_random_uuid()::text")
        channel_id = known.channel_id if known else cursor.fetchone()[0]
        secret = {name: one for name, one in credentials.items() if name in kind.secret}
        values = {
            "id": channel_id,
            "organization_id": organization_id,
            "chatbot_id": chatbot_id,
            "kind": kind.name,
            "name": options.name or kind.name,
            "new_name": options.name,
            "url_key": url_key,
            "account_id": credentials["account_id"],
            "api_url": options.api_url,
            "webhook_url": credentials["webhook_url"],
            "settings": json.dumps(settings),
            "sealed": seal(sealing_key, json.dumps(secret), accounts.sealing_place(channel_id)),
            "after_silence": registry.library(kind.name).RULES.after_silence,
        }
        cursor.execute(SAVE_CHANNEL, values)
        connection.commit()
    return channel_id


def check(resource: dict, options: argparse.Namespace) -> int:
    sealing_key = load_secrets(STATE).sealing_key
    with connection_to(resource) as connection:
        channels = [
            one
            for one in accounts.active(connection, sealing_key)
            if options.url_key in (None, url_key_of(one))
        ]
        heard = {
            one.channel_id: traffic_of(connection, one)
            for one in channels
            if isinstance(one, Account)
        }
    if not channels:
        raise CannotRun("there is no such channel with credentials.")
    faults, found = 0, check_channels.asked_all(channels, problems_of)
    for channel, problems in zip(channels, found, strict=True):
        if isinstance(channel, str):
            faults += told(channel, problems)
        else:
            name = f"{channel.kind} {url_key_of(channel)}"
            traffic = heard[channel.channel_id]
            faults += told(name, [*problems, *traffic.problems])
            print(f"{name}: {traffic.sentence}.")
    return min(faults, 1)


def url_key_of(channel: Account | str) -> str:
    """Of one that can't be opened, its id."""
    if isinstance(channel, str):
        return channel
    return (channel.credentials["webhook_url"] or channel.channel_id).rpartition("/")[2]


def problems_of(channel: Account | str) -> list[Problem]:
    """As the schedule finds them; and where nothing answers, which step of the way fails."""
    problems = check_channels.problems_of(channel)
    if Problem("unreachable") in problems:
        api_url = channel.credentials["api_url"] or KINDS[channel.kind].api_url
        problems = [Problem("unreachable", failing_step(api_url))]
    return problems


def told(name: str, problems: list[Problem]) -> int:
    for problem in problems:
        print(f"{name}: {problem.sentence}.")
    if not problems:
        print(f"{name}: everything is fine.")
    return len(problems)
