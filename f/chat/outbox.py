"""The outbox: the only code that moves a message on its way to the vendor."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Claimed:
    outcome: str  # send | wait | unknown | done
    id: str | None
    body: str | None
    wait_seconds: float | None  # until a receipt had time to come, where the outcome is wait


def claim(conn, turn_id: str, fence: int) -> Claimed:
    """The turn's next message, marked `sending`. Raises StaleTurn."""
    with conn.cursor() as cursor:
        cursor.execute(
            "select outcome, id, body, wait_seconds from claim_outbound_message(%s, %s)",
            (turn_id, fence),
        )
        outcome, message_id, body, wait_seconds = cursor.fetchone()
    return Claimed(outcome, message_id, body, None if wait_seconds is None else float(wait_seconds))


def mark_sent(conn, message_id: str, provider_message_id: str) -> None:
    # A receipt may have come first and moved the row further.
    _move(
        conn,
        "update outbound_messages set provider_message_id = %(value)s,"
        " sent_at = coalesce(sent_at, now()),"
        " state = case when state in ('sending', 'unknown') then 'sent' else state end"
        " where id = %(id)s",
        message_id,
        provider_message_id,
    )


def mark_ready(conn, message_id: str) -> None:
    """It was surely not accepted: the next try may send it."""
    _move(
        conn,
        "update outbound_messages set state = 'ready', error_code = %(value)s,"
        " attempts = attempts - 1 where id = %(id)s and state = 'sending'",
        message_id,
        None,
    )


def mark_failed(conn, message_id: str, error_code: str) -> None:
    _move(
        conn,
        "update outbound_messages set state = 'failed', error_code = %(value)s"
        " where id = %(id)s and state = 'sending'",
        message_id,
        error_code,
    )


def _move(conn, query: str, message_id: str, value: str | None) -> None:
    with conn.cursor() as cursor:
        # By its id alone: what became of a send is noted also by who lost the turn meanwhile.
        cursor.execute("select enter_outbound_message(%s)", (message_id,))
        cursor.execute(query, {"id": message_id, "value": value})
