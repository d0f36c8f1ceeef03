"""A million finished rows of the inbox beside the few that wait: what a claim costs then."""

import time
from dataclasses import dataclass

import psycopg2

import f.chat.turns as turns
from bench.chaos import stage
from bench.chaos.database import changed
from bench.chaos.figures import at
from bench.chaos.options import Options
from f.shared.db import connect
from local.installation import DEMO_ORGANIZATION, channels_of
from local.logins import role_resources
from local.postgres import data_source_name

ROWS = 1_000_000
CONVERSATIONS = 10_000
CLAIMS = 2000
LONGEST_P99_MS = 5.0
# On a busy machine everything is late: then a claim may take this much longer than without them.
MOST_SHARE_LONGER = 1.25

CONTACTS = """
with known as (
  insert into contacts (organization_id, channel_id, contact_key, address)
  select %(organization_id)s, %(channel_id)s, number::text, number::text
    from generate_series(1, %(conversations)s) as number
  returning id
), open as (
  insert into conversations (organization_id, channel_id, contact_id)
  select %(organization_id)s, %(channel_id)s, id from known
  returning id
)
insert into conversation_work (conversation_id, organization_id)
select id, %(organization_id)s from open
"""
# The foreign keys hold by how the rows are made; checking them a million times is not the test.
FINISHED = """
set local session_replication_role = replica;
insert into inbound_messages (
  organization_id, channel_id, conversation_id, provider_message_id, kind, body, state, sent_at
)
select %(organization_id)s, %(channel_id)s, talks.id, 'done.' || talks.id || '.' || number, 'text',
       'How long does a refund take?', 'answered', now()
  from (select id from conversations where channel_id = %(channel_id)s) as talks
 cross join generate_series(1, %(rows)s / %(conversations)s) as number
"""
ARRIVE = """
select conversation_id::text
  from contacts, accept_message(channel_id, contact_key, address, null, %s || contact_key, 'text',
    'How long does a refund take?', null, null, now())
 where channel_id = %s limit %s
"""


@dataclass(frozen=True)
class Times:
    """In order."""

    claim_ms: list[float]
    load_ms: list[float]


def finished_rows(options: Options) -> dict:
    with stage.set_up() as ready:
        channel = channels_of(ready.resource, DEMO_ORGANIZATION)["whatsapp"]
        values = {
            "organization_id": DEMO_ORGANIZATION,
            "channel_id": channel.id,
            "conversations": CONVERSATIONS,
            "rows": options.messages or ROWS,
        }
        write(ready.resource, CONTACTS, values)
        without = measured(ready, channel.id, "first")
        write(ready.resource, FINISHED, values)
        return report_of(values["rows"], without, measured(ready, channel.id, "then"))


def report_of(rows: int, without: Times, beside: Times) -> dict:
    longest = max(LONGEST_P99_MS, MOST_SHARE_LONGER * at(without.claim_ms, 99))
    p99 = at(beside.claim_ms, 99)
    broken = f"a claim took {p99} ms (p99) beside {rows} rows, {at(without.claim_ms, 99)} without"
    promise = (
        f"What was answered long ago slows nothing down: beside {rows} finished rows of the inbox a"
        f" claim takes {at(beside.claim_ms, 50)} ms (p50) and {p99} ms (p99), without them"
        f" {at(without.claim_ms, 50)} and {at(without.claim_ms, 99)} ms."
    )
    return {
        "promises": [promise],
        "finished_rows": rows,
        "claims": len(beside.claim_ms),
        "claim_p50_ms": at(beside.claim_ms, 50),
        "claim_p99_ms": p99,
        "without_them_p99_ms": at(without.claim_ms, 99),
        "load_turn_p50_ms": at(beside.load_ms, 50),
        "load_turn_p99_ms": at(beside.load_ms, 99),
        "load_turn_without_them_p99_ms": at(without.load_ms, 99),
        "broken": [broken] if p99 > longest else [],
    }


def write(resource: dict, statement: str, values: dict) -> None:
    with changed(resource) as cursor:
        cursor.execute(statement, values)
    connection = psycopg2.connect(data_source_name(resource))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")
        cursor.execute("checkpoint")
    connection.close()


def measured(ready: stage.Stage, channel_id: str, name: str) -> Times:
    """One message waits in each of so many conversations; each is claimed and made a turn."""
    with changed(ready.resource) as cursor:
        cursor.execute(ARRIVE, [name, channel_id, CLAIMS])
        due = [row[0] for row in cursor]
        cursor.execute("update conversation_work set lease_until = null, due_at = now()")
    resource = role_resources(ready.resource, ready.secrets.login_key)["f/chat/app_database"]
    times = [load(resource, conversation_id) for conversation_id in due]
    return Times(*(sorted(part) for part in zip(*times, strict=True)))


def load(resource: dict, conversation_id: str) -> tuple[float, float]:
    """As load_turn does it, in milliseconds: the claim; with gathering the turn and the commit."""
    started = time.perf_counter()
    with connect(resource) as conn:
        claimed = turns.claim(conn, conversation_id)
        claim_ms = (time.perf_counter() - started) * 1000
        gathered = turns.gather(conn, conversation_id, claimed, stage.MODEL_NAME)
    assert gathered.decision == "answer", gathered
    return claim_ms, (time.perf_counter() - started) * 1000
