"""One short transaction, and Postgres's errors in our words."""

import traceback
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg2
import pytest

from f.shared.db import connect, savepoint
from f.shared.errors import DataRefused, Misconfigured, StaleTurn, UpstreamDown


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


@pytest.mark.parametrize("sqlstate", ["53100", "53200"])
def test_d08_a_full_disk_is_worth_a_retry_and_nothing_was_written(owner, sqlstate):
    with pytest.raises(UpstreamDown) as error, connect(owner) as conn, conn.cursor() as cursor:
        insert(conn, "one")
        cursor.execute(f"do $$ begin raise exception 'x' using errcode = '{sqlstate}'; end $$")

    assert error.value.retryable and count(owner) == 1


def test_d05_a_server_that_takes_no_more_connections_is_worth_a_retry(database, query):
    query(f"alter role {database['user']} connection limit 0")
    try:
        with pytest.raises(UpstreamDown), connect(database):
            pass
    finally:
        query(f"alter role {database['user']} connection limit -1")

    with connect(database) as conn:
        assert not conn.closed


def test_d06_of_two_that_wait_for_each_other_one_is_told_to_try_again(owner, query):
    query("insert into plans values ('one', 'x', 1, 1)")

    def lock(first: str, second: str, both: Barrier) -> None:
        with connect(owner) as conn, conn.cursor() as cursor:
            cursor.execute("set local deadlock_timeout = '20ms'")
            cursor.execute("select from plans where id = %s for update", (first,))
            both.wait()
            cursor.execute("select from plans where id = %s for update", (second,))

    both = Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(lock, *order, both) for order in (("one", "demo"), ("demo", "one"))]
        errors = [error for end in ends if (error := end.exception())]

    assert [type(error) for error in errors] == [UpstreamDown] and errors[0].retryable


@pytest.mark.parametrize(
    "statement",
    [
        "insert into plans (id, name) values ('a secret of somebody', null)",
        "insert into plans values ('demo', 'a secret of somebody', 1, 1)",
        "select 'a secret of somebody'::uuid",
    ],
)
def test_x11_an_error_of_the_database_quotes_no_row(owner, statement):
    with pytest.raises(DataRefused) as error, connect(owner) as conn:
        conn.cursor().execute(statement)

    told = "".join(traceback.format_exception(error.value))
    assert "secret of somebody" not in told.replace(statement, "") and error.value.__cause__ is None


def test_a_part_that_the_database_refuses_is_undone_alone(owner):
    with connect(owner) as conn, conn.cursor() as cursor:
        cursor.execute("create table kept (value integer)")
        with pytest.raises(DataRefused), savepoint(conn):
            cursor.execute("insert into kept values (1)")
            cursor.execute("select 'x'::integer")
        cursor.execute("insert into kept values (2)")

    with connect(owner) as conn, conn.cursor() as cursor:
        cursor.execute("select value from kept")
        assert cursor.fetchall() == [(2,)]


def test_our_own_mistake_stays_what_it_is(owner):
    with pytest.raises(psycopg2.errors.SyntaxError), connect(owner) as conn:
        conn.cursor().execute("selec 1")


def test_a_database_that_is_away_is_worth_a_retry():
    away = {"host": "127.0.0.1", "port": 1, "user": "u", "password": "secret", "dbname": "d"}

    with pytest.raises(UpstreamDown) as error, connect(away):
        pass

    assert error.value.retryable and "secret" not in str(error.value)


def test_a_database_that_dies_while_its_answer_is_read_is_worth_a_retry(owner):
    with pytest.raises(UpstreamDown), connect(owner):
        raise psycopg2.DatabaseError("error with status PGRES_TUPLES_OK")  # and no SQLSTATE
