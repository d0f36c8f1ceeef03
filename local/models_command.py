"""./chatmill models: which models answer for a chatbot; their keys sealed into their rows.

A key comes from the terminal or standard input, never from an argument, which everybody on the
machine can see.
"""

import argparse
import getpass
import sys
import uuid

from f.agent.model_slot import MODELS, sealing_place
from f.shared.crypto import seal
from local.errors import CannotRun
from local.facts import rows
from local.installation import DEMO_ORGANIZATION
from local.migrations import connection_to
from local.places import STATE
from local.postgres import open_postgres
from local.secrets_file import load_secrets

PURPOSES = ("economy", "transcription")
SLOTS = """
select chatbots.name as chatbot, model_slots.id::text, purpose, tier, weight, kind, model,
       coalesce(base_url, 'its own') as base_url, sealed_key is not null as has_key,
       (select input_microcents_per_token from prices
         where prices.model = model_slots.model and valid_from <= current_date
         order by valid_from desc limit 1) is not null as has_price
  from model_slots join chatbots on chatbots.id = model_slots.chatbot_id
 order by chatbots.name, purpose desc, tier, weight desc, model_slots.created_at
"""
ADD = """
insert into model_slots (
  organization_id, chatbot_id, kind, model, base_url, tier, weight, purpose, sees_pictures
)
select organization_id, id, %(kind)s, %(model)s, %(base_url)s, %(tier)s, %(weight)s, %(purpose)s,
       %(sees_pictures)s
  from chatbots where id = coalesce(%(chatbot)s, (
    select id from chatbots where organization_id = %(demo)s order by created_at limit 1))
returning id::text
"""


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    with open_postgres(STATE) as postgres:
        if options.action == "add":
            slot_id = add(postgres.resource, load_secrets(STATE).sealing_key, options, read_key())
            print(f"model slot {slot_id}: its key is sealed")
        elif options.action == "remove":
            remove(postgres.resource, options.slot)
            print(f"model slot {options.slot} is gone")
        else:
            report(postgres.resource)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill models",
        description="List, add or remove the models that answer for a chatbot. Without any, the"
        " installation's own answers.",
    )
    actions = parser.add_subparsers(dest="action")
    adding = actions.add_parser("add", help="its key is asked for, or read from standard input")
    adding.add_argument("kind", choices=sorted(MODELS))
    adding.add_argument("model", help="the vendor's name of it")
    adding.add_argument("--chatbot", type=uuid.UUID, help="its id; the demo's without one")
    adding.add_argument("--base-url", help="where it is, if not at the vendor's own address")
    adding.add_argument("--tier", type=int, default=0, help="asked after all lower ones (0)")
    adding.add_argument("--weight", type=int, default=1, help="its share within the tier (1)")
    adding.add_argument(
        "--sees-pictures",
        action=argparse.BooleanOptionalAction,
        help="whether it takes pictures; without it its name tells",
    )
    purpose = adding.add_mutually_exclusive_group()
    purpose.add_argument("--economy", action="store_true", help="from 95 %% of the plan on")
    purpose.add_argument("--transcription", action="store_true", help="hears voice messages")
    removing = actions.add_parser("remove")
    removing.add_argument("slot", type=uuid.UUID)
    return parser.parse_args(arguments)


def read_key() -> str:
    key = getpass.getpass("Key: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not key.strip():
        raise CannotRun("no key was given.")
    return key.strip()


def add(resource: dict, sealing_key: str, options: argparse.Namespace, key: str) -> str:
    values = {
        "kind": options.kind,
        "model": options.model,
        "base_url": options.base_url,
        "tier": options.tier,
        "sees_pictures": options.sees_pictures,
        "weight": options.weight,
        "purpose": next((one for one in PURPOSES if getattr(options, one)), "usual"),
        "chatbot": options.chatbot and str(options.chatbot),
        "demo": DEMO_ORGANIZATION,
    }
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(ADD, values)
        row = cursor.fetchone()
        if row is None:
            raise CannotRun(f"there is no chatbot {options.chatbot}.")
        sealed = seal(sealing_key, key, sealing_place(row[0]))
        cursor.execute("update model_slots set sealed_key = %s where id = %s", [sealed, row[0]])
        connection.commit()
        return row[0]


def remove(resource: dict, slot_id: uuid.UUID) -> None:
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute("delete from model_slots where id = %s", [str(slot_id)])
        if not cursor.rowcount:
            raise CannotRun(f"there is no model slot {slot_id}.")
        connection.commit()


def report(resource: dict) -> None:
    with connection_to(resource) as connection:
        slots = rows(connection, SLOTS, {})
    if not slots:
        print("no chatbot has models of its own: the installation's answers")
    for slot in slots:
        lacks = [word for word in ("key", "price") if not slot[f"has_{word}"]]
        print(
            f"{slot['chatbot']}  {slot['purpose']} tier {slot['tier']} weight {slot['weight']}"
            f"  {slot['kind']} {slot['model']} at {slot['base_url']}"
            f"{'  (no ' + ', no '.join(lacks) + ')' if lacks else ''}  {slot['id']}"
        )
