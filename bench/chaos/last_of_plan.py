"""Many writers at the last ten messages of a plan, and at its last tokens, at the same moment."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import f.chat.turns as turns
from bench.chaos import stage
from bench.chaos.database import changed
from bench.chaos.finished_rows import ARRIVE, CONTACTS
from bench.chaos.options import Options
from f.shared.db import connect
from f.shared.errors import UpstreamDown
from local.installation import DEMO_ORGANIZATION, channels_of
from local.logins import role_resources

WRITERS = 150  # the embedded Postgres has 200 connections in all
LEFT = 10
BEGIN_SECONDS = 60

# A turn reserves what it may use at most.
LIMITS = {
    "messages": {"messages": LEFT, "tokens": 10**12},
    "tokens": {"messages": 10**9, "tokens": LEFT * turns.RESERVED_TOKENS},
}
SET_LIMITS = """
update plans
   set message_limit = %(messages)s, token_limit = %(tokens)s, cost_limit_microcents = null;
update chatbots set daily_message_limit = null, contact_daily_message_limit = null;
"""
WARNINGS = "select coalesce(sum(occurrences), 0) from alerts where code = 'usage_near_limit'"


def quota(options: Options) -> dict:
    found = {meter: race(limits) for meter, limits in LIMITS.items()}
    broken = [
        f"{one['answered']} turns were let in where {LEFT} were left of the {meter}"
        for meter, one in found.items()
        if one["answered"] != LEFT
    ]
    broken += [
        f"{one['warnings']} warnings about the {meter}"
        for meter, one in found.items()
        if one["warnings"] != 1
    ]
    return {
        "promises": [
            f"A plan is never overdrawn: of {WRITERS} contacts who write at the same moment when"
            f" {LEFT} answers are left, {found['messages']['answered']} are answered; when the"
            f" tokens of {LEFT} answers are left, {found['tokens']['answered']}; with"
            f" {found['messages']['warnings']} and {found['tokens']['warnings']} warning."
        ],
        **{f"let_in_by_{meter}": one["answered"] for meter, one in found.items()},
        **{f"warnings_of_{meter}": one["warnings"] for meter, one in found.items()},
        "broken": broken,
    }


def race(limits: dict[str, int]) -> dict[str, int]:
    with stage.set_up() as ready:
        channel = channels_of(ready.resource, DEMO_ORGANIZATION)["whatsapp"]
        people = {
            "organization_id": DEMO_ORGANIZATION,
            "channel_id": channel.id,
            "conversations": WRITERS,
        }
        with changed(ready.resource) as cursor:
            cursor.execute(SET_LIMITS, limits)
            cursor.execute(CONTACTS, people)
            cursor.execute(ARRIVE, ["race", channel.id, WRITERS])
            waiting = [row[0] for row in cursor]
            cursor.execute("update conversation_work set due_at = now()")
        resource = role_resources(ready.resource, ready.secrets.login_key)["f/chat/app_database"]
        reasons = at_once(resource, waiting)
        with changed(ready.resource) as cursor:
            cursor.execute(WARNINGS)
            return {"answered": reasons.count("messages_waiting"), "warnings": cursor.fetchone()[0]}


def at_once(resource: dict, waiting: list[str]) -> list[str]:
    """Why each conversation was answered or not; all begin together."""
    barrier = Barrier(len(waiting))

    def begin(conversation_id: str) -> str:
        with connect(resource):  # open before the race, and kept for it
            barrier.wait(BEGIN_SECONDS)
        while True:
            try:
                return load(resource, conversation_id)
            except UpstreamDown:  # waited too long for a lock: the flow's retry
                time.sleep(1)

    with ThreadPoolExecutor(len(waiting)) as pool:
        return list(pool.map(begin, waiting))


def load(resource: dict, conversation_id: str) -> str:
    with connect(resource) as conn:
        claimed = turns.claim(conn, conversation_id)
        return turns.gather(conn, conversation_id, claimed, stage.MODEL_NAME).reason
