"""One short transaction, and Postgres's errors in our words."""

import psycopg2
import pytest

from f.shared.db import connect
from f.shared.errors import Misconfigured, StaleTurn, UpstreamDown


def count(owner) -> int:
    with connect(owner) as conn, conn.cursor() as cursor:
        cursor.execute("select count(*) from plans")
        return cursor.fetchone()[0]


def insert(conn, plan_id: str) -> None:
    with conn.cursor() as cursor:
        cursor.execute("insert into plans values (%s, 'x', 1, 1)", (plan_id,))


def test_what_a_block_wrote_is_committed_at_its_end(owner):
    with connect(owner) as conn:
        insert(conn, "one")

    assert count(owner) == 2


def test_a_block_that_raises_leaves_nothing(owner):
    with pytest.raises(ZeroDivisionError), connect(owner) as conn:
        insert(conn, "one")
        _ = 1 / 0

    assert count(owner) == 1


def test_a_connection_is_used_again(owner):
    with connect(owner) as first:
        pass
    with connect(owner) as second:
        pass

    assert first is second


def test_a_server_that_ended_the_connection_is_not_noticed_by_the_next_step(owner, query):
    with connect(owner):
        pass
    query(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where application_name = 'chatmill' and datname = current_database()"
    )

    assert count(owner) == 1


@pytest.mark.parametrize(
    ("sqlstate", "error"), [("STALE", StaleTurn), ("42P01", Misconfigured), ("57014", UpstreamDown)]
)
def test_an_sqlstate_becomes_the_class_of_who_acts_next(owner, sqlstate, error):
    with pytest.raises(error), connect(owner) as conn, conn.cursor() as cursor:
        cursor.execute(f"do $$ begin raise exception 'x' using errcode = '{sqlstate}'; end $$")


def test_our_own_mistake_stays_what_it_is(owner):
    with pytest.raises(psycopg2.errors.SyntaxError), connect(owner) as conn:
        conn.cursor().execute("selec 1")


def test_a_database_that_is_away_is_worth_a_retry():
    away = {"host": "127.0.0.1", "port": 1, "user": "u", "password": "secret", "dbname": "d"}

    with pytest.raises(UpstreamDown) as error, connect(away):
        pass

    assert error.value.retryable and "secret" not in str(error.value)
