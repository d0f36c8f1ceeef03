"""The turn store: the only code that calls its SQL functions."""

import json
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from f.agent.loop import Answer

MAX_ATTEMPTS = 5
RESERVED_TOKENS = 16000
HISTORY_LINES = 20
# What a model is given of one turn's question and of one line of history: a paste is paid again
# in every round.
QUESTION_CHARACTERS = 8000
LINE_CHARACTERS = 1000


@dataclass(frozen=True)
class Claim:
    outcome: str  # claimed | busy | too_early | nothing_waiting
    fence: int = 0
    arrivals: int = 0
    wait_seconds: float = 0


@dataclass(frozen=True)
class Gathered:
    decision: str  # answer | hold | refuse | ignore
    reason: str
    turn_id: str | None
    wait_seconds: float | None  # to the next flow, where this one answers nothing


@dataclass(frozen=True)
class Turn:
    """What the agent needs to answer: who speaks for whom, what was said, what was asked."""

    turn_id: str
    organization_id: str
    organization_name: str
    state: str
    chatbot_name: str
    channel_kind: str
    instructions: str
    unknown_reply: str
    max_reply_tokens: int
    now: datetime
    history: list[dict]
    question: str


def claim(conn, conversation_id: str) -> Claim:
    with conn.cursor() as cursor:
        cursor.execute(
            "select outcome, fence, arrivals, wait_seconds from claim_conversation(%s)",
            (conversation_id,),
        )
        row = cursor.fetchone()
    if row is None:
        return Claim("nothing_waiting")
    return Claim(row[0], row[1], row[2], float(row[3] or 0))


def gather(conn, conversation_id: str, claimed: Claim) -> Gathered:
    """Raises StaleTurn."""
    with conn.cursor() as cursor:
        cursor.execute(
            "select decision, reason, turn_id, wait_seconds from gather_turn(%s, %s, %s, %s, %s)",
            (conversation_id, claimed.fence, claimed.arrivals, RESERVED_TOKENS, MAX_ATTEMPTS),
        )
        decision, reason, turn_id, wait_seconds = cursor.fetchone()
    return Gathered(decision, reason, turn_id, wait_seconds and float(wait_seconds))


LOAD_TURN = """
select turns.id, turns.organization_id, organizations.name, turns.state, chatbots.name,
       channels.kind, chatbots.instructions, chatbots.unknown_reply, chatbots.max_reply_tokens,
       organizations.time_zone, turns.conversation_id
  from turns
  join conversations on conversations.id = turns.conversation_id
  join channels on channels.id = conversations.channel_id
  join chatbots on chatbots.id = channels.chatbot_id
  join organizations on organizations.id = turns.organization_id
 where turns.id = %(turn_id)s
"""

READ_QUESTION = """
select left(string_agg(body, e'\\n' order by sent_at, id), %(characters)s)
  from inbound_messages where turn_id = %(turn_id)s
"""

READ_HISTORY = """
select author, body from (
  select id, author, left(body, %(characters)s) as body from messages
   where conversation_id = %(conversation_id)s order by id desc limit %(lines)s
) as newest order by id
"""


def load(conn, turn_id: str, fence: int) -> Turn:
    """Renews the lease, so that the model is not paid by who lost the turn. Raises StaleTurn."""
    with conn.cursor() as cursor:
        cursor.execute(LOAD_TURN, {"turn_id": turn_id})
        *columns, time_zone, conversation_id = cursor.fetchone()
        cursor.execute("select require_fence(%s, %s)", (conversation_id, fence))
        question, history = _read_words(cursor, turn_id, conversation_id)
    return Turn(*columns, datetime.now(ZoneInfo(time_zone)), history, question)


def _read_words(cursor, turn_id: str, conversation_id: str) -> tuple[str, list[dict]]:
    cursor.execute(READ_QUESTION, {"turn_id": turn_id, "characters": QUESTION_CHARACTERS})
    question = cursor.fetchone()[0] or ""
    cursor.execute(
        READ_HISTORY,
        {
            "conversation_id": conversation_id,
            "lines": HISTORY_LINES,
            "characters": LINE_CHARACTERS,
        },
    )
    return question, [_line(author, body) for author, body in cursor]


def _line(author: str, body: str) -> dict:
    return {"role": "assistant" if author == "chatbot" else "user", "content": body}


def commit(
    conn, turn: Turn, fence: int, replies: list[str], answer: Answer, model: str, receipt: dict
) -> str:
    """Returns the turn's state: `answered`, or what it already was. Raises StaleTurn."""
    with conn.cursor() as cursor:
        cursor.execute(
            "select commit_turn(%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                turn.turn_id,
                fence,
                replies,
                json.dumps(receipt),
                model,
                answer.model_calls,
                answer.input_tokens,
                answer.output_tokens,
            ),
        )
        state = cursor.fetchone()[0]
        if state == "answered":
            _record_tool_calls(cursor, turn, answer.tool_calls)
    return state


def _record_tool_calls(cursor, turn: Turn, calls: list[dict]) -> None:
    for position, call in enumerate(calls):
        cursor.execute(
            "insert into tool_calls (turn_id, position, organization_id, tool, arguments, result,"
            " duration_ms) values (%s, %s, %s, %s, %s, %s, %s)"
            " on conflict on constraint tool_calls_pkey do nothing",
            (
                turn.turn_id,
                position,
                turn.organization_id,
                call["tool"],
                json.dumps(call["arguments"]),
                json.dumps(call["result"]),
                call["duration_ms"],
            ),
        )


def complete(conn, turn_id: str, fence: int, part: str) -> float | None:
    """Stamps `sent`, `saved` or `charged`; seconds until the next flow if one is due.

    Raises StaleTurn.
    """
    return _one_number(conn, "select complete_turn(%s, %s, %s)", (turn_id, fence, part))


def give_back(conn, conversation_id: str, fence: int) -> float | None:
    """Frees a conversation after a failure; None when another worker has it."""
    return _one_number(conn, "select give_back_turn(%s, %s)", (conversation_id, fence))


def _one_number(conn, query: str, arguments: tuple) -> float | None:
    with conn.cursor() as cursor:
        cursor.execute(query, arguments)
        row = cursor.fetchone()
    return None if row is None or row[0] is None else float(row[0])
