"""Start again what a lost worker left behind."""

import f.channels.accounts as accounts
import f.channels.inbox as inbox
import f.channels.registry as registry
from f.shared.db import connect
from f.shared.resources import postgresql

BATCH = 200
PORTION = 20


def main(db: postgresql, sealing_key: str) -> dict:
    with connect(db) as conn:
        if not begin(conn):
            return {"is_begun": False}
    try:
        return {"is_begun": True, **sweep(db, sealing_key)}
    finally:
        with connect(db) as conn:
            end(conn)


def sweep(db: postgresql, sealing_key: str) -> dict:
    with connect(db) as conn:
        stuck = alert_stuck_turns(conn)
        forgotten = inbox.forget_accepted(conn)
        given_back = inbox.give_back(conn)
        unreached = fail_unreached_replies(conn)
        files_forgotten = forget_files(conn)
        sign_ins_forgotten = forget_sign_ins(conn)
    started = start_left_behind(db)
    in_doubt = start_successors(db)
    accepted = accept_left_behind(db, sealing_key)
    return {
        "deliveries_accepted": accepted,
        "conversations_started": started,
        "successors_started": in_doubt,
        "conversations_stuck": stuck,
        "deliveries_forgotten": forgotten,
        "conversations_given_back": given_back,
        "replies_unreached": unreached,
        "files_forgotten": files_forgotten,
        "sign_ins_forgotten": sign_ins_forgotten,
    }


def accept_left_behind(db: postgresql, sealing_key: str) -> int:
    """Deliveries that were stored and not accepted, each in a transaction of its own."""
    for accepted in range(BATCH):
        with connect(db) as conn:
            taken = inbox.take_left_behind(conn)
        if taken is None:
            return accepted
        delivery_id, request = taken
        with connect(db) as conn:
            account = accounts.of_delivery(conn, sealing_key, delivery_id)
        deliveries = registry.library(account.kind).parse(request)
        with connect(db) as conn:
            wake = inbox.accept(conn, sealing_key, account, delivery_id, deliveries)
        inbox.start_flows(wake)
    return BATCH


def begin(conn) -> bool:
    """False while another sweep is at work. Gives back what a lost turn had reserved."""
    with conn.cursor() as cursor:
        cursor.execute("select begin_sweep(), release_expired_holds()")
        return cursor.fetchone()[0]


def end(conn) -> None:
    with conn.cursor() as cursor:
        cursor.execute("select end_sweep()")


def fail_unreached_replies(conn) -> int:
    """Of groups, where no participant got them."""
    return count(conn, "select fail_unreached_replies()")


def forget_files(conn) -> int:
    """Contacts' files that were read a week ago."""
    return count(conn, "select forget_attachments()")


def forget_sign_ins(conn) -> int:
    """Links that are too old to come back by, and tokens that no contact wrote the code for."""
    return count(conn, "select forget_sign_ins()")


def start_left_behind(db: postgresql) -> int:
    """Started first and noted then: a sweep that is killed here starts some flows twice, which
    harms nobody, instead of making whole conversations wait for flows that never come."""
    started = 0
    while started < BATCH:
        with connect(db) as conn:
            found = find_left_behind(conn)
        inbox.start_flows([{"conversation_id": one, "wait_seconds": 0} for one in found])
        with connect(db) as conn, conn.cursor() as cursor:
            cursor.execute(
                "select expect_flows(%s::uuid[], %s)", (list(found), list(found.values()))
            )
        started += len(found)
        if len(found) < PORTION:
            break
    return started


def find_left_behind(conn) -> dict[str, int]:
    """Fences by conversation id."""
    with conn.cursor() as cursor:
        cursor.execute(
            "select conversation_id, fence from conversations_left_behind(%s)", (PORTION,)
        )
        return dict(cursor)


def start_successors(db: postgresql) -> int:
    """A flow for the moment in which a silent worker's lease, or the wait for a late flow, ends:
    whoever lives by then keeps the turn."""
    with connect(db) as conn, conn.cursor() as cursor:
        cursor.execute("select * from conversations_in_doubt(%s)", (BATCH,))
        in_doubt = list(cursor)
    inbox.start_flows(
        [{"conversation_id": one, "wait_seconds": float(seconds)} for one, seconds in in_doubt]
    )
    return len(in_doubt)


def alert_stuck_turns(conn) -> int:
    """How many conversations wait for ten minutes since the last sweep, though they were started
    again and again: each is alerted once."""
    return count(conn, "select alert_stuck_turns()")


def count(conn, query: str) -> int:
    with conn.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]
