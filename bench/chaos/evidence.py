"""What the run's database adds to the verdict: visible ends, and the history of what went wrong."""

import math

from bench.chaos.database import Database
from bench.chaos.journal import Journal

UNKNOWN = """
select distinct inbound_messages.provider_message_id
  from inbound_messages
  join outbound_messages on outbound_messages.turn_id = inbound_messages.turn_id
  join alerts on alerts.code = 'delivery_unknown'
             and alerts.organization_id = outbound_messages.organization_id
 where outbound_messages.state = 'unknown'
"""
# A draft needs one answer in words and at most one that calls a tool (bench/chaos/model.py): what
# was asked for anew although it was paid counts as paid in vain.
NEEDED_CALLS = """
select count(distinct (turn_id, draft, response ->> 'content' is null)) from model_calls
 where not is_lost
"""
LOST_CALLS = "select count(*) from model_calls where is_lost"
DRAFTS = "select coalesce(sum(drafts_dropped), 0) from turns"
ALERTS = "select code, sum(occurrences) from alerts group by code order by 2 desc"
HISTORY = """
select inbound_messages.state, inbound_messages.conversation_id::text,
       turns.id::text, turns.state, turns.attempts, turns.sent_at is not null,
       outbound_messages.id::text, outbound_messages.state, outbound_messages.attempts
  from inbound_messages
  left join turns on turns.id = inbound_messages.turn_id
  left join outbound_messages on outbound_messages.turn_id = turns.id
 where inbound_messages.provider_message_id = %s
"""
HISTORY_COLUMNS = (
    "message_state",
    "conversation_id",
    "turn_id",
    "turn_state",
    "turn_attempts",
    "turn_sent",
    "outbound_id",
    "outbound_state",
    "outbound_attempts",
)


async def unknown_tokens(database: Database) -> set[str]:
    return {row[0].removeprefix("wamid.") for row in await database.rows(UNKNOWN)}


async def sums(database: Database) -> dict:
    async def one(query: str):
        return int((await database.rows(query))[0][0])

    return {
        "needed_model_calls": await one(NEEDED_CALLS),
        "lost_model_calls": await one(LOST_CALLS),
        "dropped_drafts": await one(DRAFTS),
        "alerts": {code: int(count) for code, count in await database.rows(ALERTS)},
    }


async def history(database: Database, journal: Journal, token: str, start: float) -> dict:
    """Everything known of one message; times are seconds since the run's start."""
    message = journal.messages[token]
    rows = await database.rows(HISTORY, f"wamid.{token}")
    sends = [one for one in journal.accepted if token in one.tokens]
    hurts = [one for one in journal.hurts if one.contact == message.contact]

    def since(moment: float | None) -> float | None:
        return None if moment is None else round(moment - start, 2)

    return {
        "token": token,
        "contact": message.contact,
        "posted": since(message.posted_at),
        "acknowledged": since(message.acknowledged_at),
        "rows": [dict(zip(HISTORY_COLUMNS, row, strict=True)) for row in rows],
        "accepted": [
            {"at": since(one.at), "reference": one.reference, "tokens": one.tokens} for one in sends
        ],
        "hurts": [{"at": since(one.at), one.kind: one.boundary} for one in hurts],
        "notes": journal.notes_between(rows[0][1] if rows else None, start, math.inf)[-40:],
        "database_stops": [[since(a), since(b)] for a, b in journal.database_stops],
    }
