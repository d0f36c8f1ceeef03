"""One short transaction on the app's database; the one place where its errors become ours.

Connections stay open in the process for the next transaction: a process a step opens one
anyway, and a process that runs many steps (the local runner, a resident worker) saves the
several milliseconds that opening costs. They carry no state from one use to the next.
"""

import select
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg2  # pin: psycopg2-binary==2.9.13
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as Connection

from f.shared.errors import ChatmillError, DataRefused, Misconfigured, StaleTurn, UpstreamDown

T = TypeVar("T")

_idle: defaultdict[tuple, deque[Connection]] = defaultdict(deque)

# What can't be had again outlives a database that starts again.
PAUSES_SECONDS = (0.25, 0.5, 1, 2, 4, 4)

# SQLSTATE -> our class. The five-letter ones are raised by our own SQL: docs/error_codes.md.
ERRORS_BY_SQLSTATE: dict[str, type[ChatmillError]] = {
    "STALE": StaleTurn,
    "28P01": Misconfigured,  # invalid_password
    "42501": Misconfigured,  # insufficient_privilege: a resource with another role's user
    "3D000": Misconfigured,  # invalid_catalog_name
    "42P01": Misconfigured,  # undefined_table: the migrations did not run
    "53100": UpstreamDown,  # disk_full
    "53200": UpstreamDown,  # out_of_memory
    "53300": UpstreamDown,  # too_many_connections
    "57P01": UpstreamDown,  # admin_shutdown
    "57P02": UpstreamDown,  # crash_shutdown
    "57P03": UpstreamDown,  # cannot_connect_now
    "40001": UpstreamDown,  # serialization_failure
    "40P01": UpstreamDown,  # deadlock_detected
    "57014": UpstreamDown,  # query_canceled: a timeout
    "55P03": UpstreamDown,  # lock_not_available: another one is slow
    "25P03": UpstreamDown,  # idle_in_transaction_session_timeout
}

# DISCARD ALL without its loss of the plans, which every next transaction would pay for.
FORGET_SESSION = (
    "close all; set session authorization default; deallocate all; unlisten *;"
    " select pg_advisory_unlock_all(); discard temp; discard sequences; reset all"
)


@contextmanager
def connect(db: dict) -> Iterator[Connection]:
    """Commits when the block ends, rolls back when it raises.

    Raises the class that ERRORS_BY_SQLSTATE names, UpstreamDown when the database is away, and
    psycopg2's own error for what is our bug.
    """
    key = tuple(sorted((name, str(value)) for name, value in db.items()))
    conn = _open(key, db)
    try:
        with conn:
            yield conn
    except psycopg2.Error as error:
        known = _translated(error)
        if known is None:
            raise
        if error.pgcode in ERRORS_BY_SQLSTATE:
            raise known from error
        raise known from None  # its words may quote a row, and a log keeps what it came from
    finally:
        _keep_or_close(key, conn)


def again_while_away(transact: Callable[[], T]) -> T:
    """`transact` runs one transaction that does no harm when it is run twice: of one whose answer
    was lost nobody knows whether it came through. Raises UpstreamDown after the last try."""
    for pause_seconds in PAUSES_SECONDS:
        try:
            return transact()
        except UpstreamDown:
            time.sleep(pause_seconds)
    return transact()


@contextmanager
def savepoint(conn: Connection) -> Iterator[None]:
    """What the block wrote is undone when the database refuses a part of it, and nothing else of
    the transaction. Raises DataRefused then; anything else ends the transaction."""
    with conn.cursor() as cursor:
        cursor.execute("savepoint part")  # released by the transaction's end
        try:
            yield
        except psycopg2.Error as error:
            known = _translated(error)
            if not isinstance(known, DataRefused):
                raise
            cursor.execute("rollback to savepoint part")
            raise known from None


def _open(key: tuple, db: dict) -> Connection:
    while _idle[key]:
        conn = _idle[key].pop()
        if not _has_news(conn):
            return conn
        conn.close()
    try:
        return psycopg2.connect(**_dsn(db))
    except psycopg2.Error as error:
        raise (_translated(error) or UpstreamDown("the database can't be reached")) from error


def _has_news(conn: Connection) -> bool:
    # An idle server says nothing; something to read is its farewell.
    poll = select.poll()  # select() can't look at file descriptors above 1023
    poll.register(conn.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _keep_or_close(key: tuple, conn: Connection) -> None:
    if conn.closed or conn.info.transaction_status != TRANSACTION_STATUS_IDLE:
        conn.close()
        return
    try:
        conn.autocommit = True  # one round trip instead of three
        with conn.cursor() as cursor:
            cursor.execute(FORGET_SESSION)
        conn.autocommit = False
    except psycopg2.Error:
        conn.close()
    else:
        _idle[key].append(conn)


def _dsn(db: dict) -> dict:
    return {
        "host": db["host"],
        "port": db.get("port") or 5432,
        "user": db["user"],
        "password": db.get("password") or None,
        "dbname": db["dbname"],
        "sslmode": db.get("sslmode") or "prefer",
        "connect_timeout": 5,
        "application_name": "chatmill",
    }


def _translated(error: psycopg2.Error) -> ChatmillError | None:
    if (error.pgcode or "")[:2] in ("22", "23"):  # a value, or a constraint
        return DataRefused(f"the database refused what was written: {error.pgcode}")
    error_class = ERRORS_BY_SQLSTATE.get(error.pgcode or "")
    if error_class:
        return error_class(f"the database answered {error.pgcode}")
    # The plain class: a server that died while its answer was read leaves nothing to classify.
    is_plain = type(error) is psycopg2.DatabaseError
    is_away = is_plain or isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    if is_away and not error.pgcode:
        return UpstreamDown("the database went away")
    return None
