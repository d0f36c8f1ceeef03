"""Start again what a lost worker left behind."""

import f.channels.accounts as accounts
import f.channels.inbox as inbox
from f.shared.db import connect
from f.shared.resources import postgresql
from f.shared.windmill import start_flow

BATCH = 200


def main(db: postgresql, sealing_key: str) -> dict:
    with connect(db) as conn:
        conversation_ids = find_left_behind(conn)
        forgotten = inbox.forget_accepted(conn)
    for conversation_id in conversation_ids:
        start_flow("f/chat/answer_message", {"conversation_id": conversation_id})
    accepted = accept_left_behind(db, sealing_key)
    return {
        "deliveries_accepted": accepted,
        "conversations_started": len(conversation_ids),
        "deliveries_forgotten": forgotten,
    }


def accept_left_behind(db: postgresql, sealing_key: str) -> int:
    """Deliveries that were stored and not accepted, each in a transaction of its own."""
    for accepted in range(BATCH):
        with connect(db) as conn:
            taken = inbox.take_left_behind(conn)
        if taken is None:
            return accepted
        delivery_id, channel_id, body = taken
        with connect(db) as conn:
            account = accounts.by_id(conn, sealing_key, channel_id)
            wake = inbox.accept_again(conn, sealing_key, account, delivery_id, body)
        for one in wake:
            conversation = {"conversation_id": one["conversation_id"]}
            start_flow("f/chat/answer_message", conversation, one["wait_seconds"])
    return BATCH


def find_left_behind(conn) -> list[str]:
    with conn.cursor() as cursor:
        cursor.execute("select conversation_id from conversations_left_behind(%s)", (BATCH,))
        return [row[0] for row in cursor]
