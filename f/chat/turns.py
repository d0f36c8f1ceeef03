"""The turn store: the only code that calls its SQL functions, and starts what they say is due."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from f.shared.db import Connection, connect
from f.shared.resources import postgresql
from f.shared.windmill import start_flow

MAX_ATTEMPTS = 5
# What one turn may use in all its model calls, dropped drafts too.
RESERVED_TOKENS = 16000

# Whom a turn answers, and for whom: the end of a select.
OF_TURN = """\
  from turns
  join conversations on conversations.id = turns.conversation_id
  join contacts on contacts.id = conversations.contact_id
  join channels on channels.id = conversations.channel_id
  join chatbots on chatbots.id = channels.chatbot_id
  join organizations on organizations.id = turns.organization_id
 where turns.id = %(turn_id)s
"""
# Where the plan is nearly used up, and the chatbot has one.
ECONOMY_MODEL = "case when turns.usage_decision = 'economy' then chatbots.economy_model end"


@dataclass(frozen=True)
class Claim:
    outcome: str  # claimed | busy | too_early | nothing_waiting
    fence: int = 0
    arrivals: int = 0
    wait_seconds: float | None = None  # to the next flow, where this one came too early


@dataclass(frozen=True)
class Gathered:
    decision: str  # answer | hold | refuse | ignore
    reason: str
    turn_id: str | None
    wait_seconds: float | None  # to the next flow, where this one answers nothing


def claim(conn, conversation_id: str) -> Claim:
    with conn.cursor() as cursor:
        cursor.execute(
            "select outcome, fence, arrivals, wait_seconds::float8 from claim_conversation(%s)",
            (conversation_id,),
        )
        row = cursor.fetchone()
    return Claim(*row) if row else Claim("nothing_waiting")


def gather(conn, conversation_id: str, claimed: Claim, model: str) -> Gathered:
    """`model`: whose prices a reservation assumes. Raises StaleTurn."""
    with conn.cursor() as cursor:
        cursor.execute(
            "select decision, reason, turn_id, wait_seconds::float8"
            " from gather_turn(%s, %s, %s, %s, %s, %s)",
            (
                conversation_id,
                claimed.fence,
                claimed.arrivals,
                model,
                RESERVED_TOKENS,
                MAX_ATTEMPTS,
            ),
        )
        return Gathered(*cursor.fetchone())


def has_unread_files(conn, turn_id: str) -> bool:
    with conn.cursor() as cursor:
        cursor.execute("select has_unread_files(%s)", (turn_id,))
        return cursor.fetchone()[0]


@contextmanager
def transaction(db: postgresql, turn_id: str, fence: int) -> Iterator[Connection]:
    """One transaction of whoever holds the turn, open to its organization. Raises StaleTurn."""
    with connect(db) as conn:
        enter(conn, turn_id, fence)
        yield conn


def enter(conn, turn_id: str, fence: int) -> None:
    """Renews the lease. Raises StaleTurn."""
    with conn.cursor() as cursor:
        cursor.execute("select from enter_turn(%s, %s)", (turn_id, fence))


def begin_attempt(conn, turn_id: str, fence: int) -> None:
    """Counts one of the turn's five attempts, once for each claim. Raises StaleTurn."""
    with conn.cursor() as cursor:
        cursor.execute("select from begin_attempt(%s, %s)", (turn_id, fence))


def commit(
    conn,
    turn_id: str,
    fence: int,
    replies: list[str],
    receipt: dict,
    tool_calls: list[dict],
    may_drop: bool,
) -> str:
    """`answered`; `draft_dropped` when the contact wrote on meanwhile and `may_drop`: think again;
    or the state that the turn is in already. Raises StaleTurn."""
    with conn.cursor() as cursor:
        cursor.execute(
            "select commit_turn(%s, %s, %s, %s, %s)",
            (turn_id, fence, replies, json.dumps(receipt), may_drop),
        )
        state = cursor.fetchone()[0]
        if state == "answered":
            _record_tool_calls(cursor, turn_id, tool_calls)
    return state


RECORD_TOOL_CALL = """
insert into tool_calls (turn_id, position, organization_id, tool, arguments, result, duration_ms)
select id, %(position)s, organization_id, %(tool)s, %(arguments)s, %(result)s, %(duration_ms)s
  from turns where id = %(turn_id)s
    on conflict on constraint tool_calls_pkey do nothing
"""


def _record_tool_calls(cursor, turn_id: str, calls: list[dict]) -> None:
    for position, call in enumerate(calls):
        values = {
            "turn_id": turn_id,
            "position": position,
            "tool": call["tool"],
            "arguments": json.dumps(call["arguments"]),
            "result": json.dumps(call["result"]),
            "duration_ms": call["duration_ms"],
        }
        cursor.execute(RECORD_TOOL_CALL, values)


def alert_of_model(open_transaction, organization_id: str, slot, status: int | None) -> None:
    """A model's vendor refused for good: a key, a limit of spending, a name of a model."""
    summary = f"model slot {slot.slot_id} ({slot.model}): its vendor answered {status or 'no'}"
    with open_transaction() as conn, conn.cursor() as cursor:
        cursor.execute(
            "select raise_alert(%s, 'error', 'model_refused', %s, %s)",
            (organization_id, slot.slot_id, summary),
        )


def limit_thinking(open_transaction, turn_id: str, seconds_left: float) -> None:
    """The models failed: whoever takes the turn up again has no more time than was left."""
    with open_transaction() as conn, conn.cursor() as cursor:
        cursor.execute("select limit_thinking(%s, %s)", (turn_id, seconds_left))


def complete(conn, turn_id: str, fence: int, part: str) -> float | None:
    """Stamps `sent`, `saved` or `charged`; seconds until the next flow if one is due.

    Raises StaleTurn.
    """
    return _seconds(conn, "select complete_turn(%s, %s, %s)::float8", (turn_id, fence, part))


def postpone(conn, turn_id: str, fence: int, wait_seconds: float) -> float | None:
    """Frees the conversation until a receipt had time to come; seconds until the next flow.

    Raises StaleTurn.
    """
    values = (turn_id, fence, wait_seconds)
    return _seconds(conn, "select postpone_turn(%s, %s, %s)::float8", values)


def give_back(conn, conversation_id: str, fence: int) -> float | None:
    """Frees a conversation after a failure; None when another worker has it."""
    return _seconds(conn, "select give_back_turn(%s, %s)::float8", (conversation_id, fence))


def start_when_due(conversation_id: str, wait_seconds: float | None) -> None:
    """Starts the flow that answers what arrived meanwhile.

    `wait_seconds`: what the turn store said; None when nothing waits.
    """
    if wait_seconds is not None:
        start_flow("f/chat/answer_message", {"conversation_id": conversation_id}, wait_seconds)


def _seconds(conn, query: str, arguments: tuple) -> float | None:
    with conn.cursor() as cursor:
        cursor.execute(query, arguments)
        return cursor.fetchone()[0]
