"""./chatmill tools: what chatbots may call outside: look at it, approve it, confirm a call."""

import argparse
import getpass
import json
import sys
import uuid

from f.agent.approved_tool import IDENTITIES
from local import tool_approvals, tool_sign_ins
from local.errors import CannotRun
from local.facts import rows
from local.installation import DEMO_ORGANIZATION
from local.migrations import connection_to
from local.places import STATE
from local.postgres import open_postgres
from local.secrets_file import load_secrets

TOOLS = """
select chatbots.name as chatbot, tools.name, class, tools.state, kind, target, approved_by,
       approved_at::date::text as approved_on
  from tools join chatbots on chatbots.id = tools.chatbot_id order by chatbots.name, tools.name
"""
WAITING = """
select tool_confirmations.turn_id::text, tools.title, arguments, asked_at::text
  from tool_confirmations join tools on tools.id = tool_confirmations.tool_id
 where needs = 'teammate' and tool_confirmations.state = 'asked' order by asked_at
"""


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    with open_postgres(STATE) as postgres:
        return ACTIONS[options.action or "list"](postgres.resource, options)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill tools", description="What chatbots may call outside, and whose yes it needs."
    )
    actions = parser.add_subparsers(dest="action")
    actions.add_parser("list", help="tools, and calls that wait for a teammate")
    server = actions.add_parser("server", help="add an MCP server; its token from standard input")
    server.add_argument("name", help="goes before the names of its tools")
    server.add_argument("url", help="https address of its streamable HTTP endpoint")
    server.add_argument("--sign-in-at", metavar="PUBLIC_URL",
                        help="each contact signs in, and comes back to us here")  # fmt: skip
    client = actions.add_parser(
        "client", help="our name at a server's authorization server; its secret from standard input"
    )
    for name in ("server", "issuer", "client_id"):
        client.add_argument(name)
    out = actions.add_parser("sign-out", help="forget and revoke contacts' tokens of a server")
    out.add_argument("server")
    out.add_argument("--contact", help="its key (a number, an id); all of them without one")
    show = actions.add_parser("show", help="a server's tools in full, as a model would be told")
    show.add_argument("server")
    for one in (server, client, out, show):
        one.add_argument("--organization", type=uuid.UUID, help="its id; the demo's without one")
    approve = actions.add_parser("approve", help="let a chatbot call SERVER/TOOL or a script")
    approve.add_argument("tool", help="SERVER/TOOL, or the path of a script under f/")
    approve.add_argument(
        "--class", dest="class_", choices=("read", "write", "money"), required=True
    )
    approve.add_argument("--title", help="what a contact reads when asked for a yes")
    approve.add_argument("--bind", action="append", default=[], metavar="ARGUMENT=IDENTITY",
                         help=f"an argument that we fill in: {', '.join(IDENTITIES)}")  # fmt: skip
    approve.add_argument("--honours-key", action="store_true", help="called twice, it acts once")
    approve.add_argument("--version", help="a script's hash in Windmill; else the local one's")
    approve.add_argument("--chatbot", type=uuid.UUID, help="its id; the demo's without one")
    off = actions.add_parser("off", help="switch a tool off, for all chatbots of an organization")
    off.add_argument("name")
    off.add_argument("--organization", type=uuid.UUID, help="its id; the demo's without one")
    waiting = actions.add_parser("confirm", help="let a waiting call be made")
    waiting.add_argument("turn", type=uuid.UUID, help="its id, as the list tells it")
    return parser.parse_args(arguments)


def report(resource: dict, options: argparse.Namespace) -> int:
    with connection_to(resource) as connection:
        tools, waiting = rows(connection, TOOLS, {}), rows(connection, WAITING, {})
    for tool in tools:
        print(
            f"{tool['chatbot']}  {tool['name']}  {tool['class']}, {tool['state']}"
            f"  {tool['kind']} {tool['target']}, by {tool['approved_by']} on {tool['approved_on']}"
        )
    for call in waiting:
        print(f"waits since {call['asked_at']}: {call['title']} {json.dumps(call['arguments'])}")
        print(f"  ./chatmill tools confirm {call['turn_id']}")
    if not tools and not waiting:
        print("no chatbot may call anything outside")
    return 0


def add_server(resource: dict, options: argparse.Namespace) -> int:
    key = load_secrets(STATE).sealing_key
    callback_url = options.sign_in_at and tool_sign_ins.callback_at(options.sign_in_at)
    token = secret_from("Token")
    place = (organization_in(options), callback_url)
    tool_approvals.add_server(resource, key, options.name, options.url, token, *place)
    print(f"server {options.name} added; see its tools: ./chatmill tools show {options.name}")
    if callback_url:
        print(f"contacts sign in and come back to {callback_url}")
    return 0


def organization_in(options: argparse.Namespace) -> str | None:
    return options.organization and str(options.organization)


def secret_from(what: str) -> str:
    """Not from the command line, where a shell's history keeps it."""
    given = getpass.getpass(f"{what}: ") if sys.stdin.isatty() else sys.stdin.readline()
    return given.strip()


def enter_client(resource: dict, options: argparse.Namespace) -> int:
    key, secret = load_secrets(STATE).sealing_key, secret_from("Secret, if there is one")
    place = (options.server, options.issuer, options.client_id)
    tool_sign_ins.enter_client(resource, key, *place, secret, organization_in(options))
    print(f"contacts sign in at {options.issuer} as clients of {options.client_id}")
    return 0


def sign_out(resource: dict, options: argparse.Namespace) -> int:
    key = load_secrets(STATE).sealing_key
    which = (options.server, options.contact, organization_in(options))
    gone, revoked = tool_sign_ins.sign_out(resource, key, *which)
    print(f"{gone} signed out; the authorization server took notice of {revoked}")
    return 0


def show_server(resource: dict, options: argparse.Namespace) -> int:
    key = load_secrets(STATE).sealing_key
    place = (options.server, organization_in(options))
    for definition in tool_approvals.definitions_of(resource, key, *place):
        # As ASCII, so that letters that nobody sees are seen.
        print(json.dumps(definition, indent=2, ensure_ascii=True))
    return 0


def approve(resource: dict, options: argparse.Namespace) -> int:
    pairs = [one.partition("=") for one in options.bind]
    approval = tool_approvals.Approval(
        class_=options.class_,
        title=options.title,
        bindings={name: identity for name, _, identity in pairs},
        honours_key=options.honours_key,
        chatbot_id=options.chatbot and str(options.chatbot),
        approved_by=getpass.getuser(),
    )
    if options.tool.startswith("f/"):
        name = tool_approvals.approve_script(resource, options.tool, options.version, approval)
    else:
        key = load_secrets(STATE).sealing_key
        name = tool_approvals.approve_remote(resource, key, options.tool, approval)
    print(f"{name} may be called from the next turn on")
    return 0


SWITCH_OFF = """
update tools set state = 'off' where name = %s and organization_id = %s and state <> 'off'
"""


def switch_off(resource: dict, options: argparse.Namespace) -> int:
    organization = organization_in(options) or DEMO_ORGANIZATION
    chatbots = change(resource, SWITCH_OFF, options.name, organization)
    if not chatbots:
        raise CannotRun(f"no chatbot of organization {organization} may call {options.name!r}.")
    print(f"{options.name} is not called any more, by {chatbots} of the organization's chatbots")
    return 0


CONFIRM = """
update tool_confirmations set state = 'confirmed', confirmed_at = now(), confirmed_by = current_user
 where turn_id = %s and needs = 'teammate' and state = 'asked'
"""


def confirm(resource: dict, options: argparse.Namespace) -> int:
    if not change(resource, CONFIRM, str(options.turn)):
        raise CannotRun(f"no call of turn {options.turn} waits for a teammate.")
    print("confirmed for a day, for these arguments; give the conversation back to the chatbot")
    return 0


def change(resource: dict, statement: str, *values: str) -> int:
    """How many rows."""
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        connection.commit()
        return cursor.rowcount


ACTIONS = {
    "list": report,
    "server": add_server,
    "client": enter_client,
    "sign-out": sign_out,
    "show": show_server,
    "approve": approve,
    "off": switch_off,
    "confirm": confirm,
}
