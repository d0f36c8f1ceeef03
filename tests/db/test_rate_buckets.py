"""Two workers at the rates of one channel: a message takes of every rate, or of none."""

from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from tests.conftest import CHANNEL_ID, connected

# One message a second to each contact, three at once; of the account one in 100 s.
TAKE = "select take_tokens(%s, %s, '{1,0.01}', '{3,1}')"
LEFT = "select tokens::float from rate_buckets where subject = %s"


def take(connection, contact: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(TAKE, (CHANNEL_ID, [contact, "account"]))
        return float(cursor.fetchone()[0])


def test_where_the_account_has_to_wait_the_contacts_rate_is_not_spent(owner, query):
    with connected(owner) as connection:
        waits = [take(connection, "ada"), take(connection, "eve"), take(connection, "eve")]
        connection.commit()

    assert waits[0] == 0 and all(99 < one <= 100 for one in waits[1:])
    assert query(LEFT, "eve") == []  # no bucket is a full one
    assert query(LEFT, "ada")[0][0] < 3


def test_where_the_contact_has_to_wait_the_accounts_rate_is_not_spent(query):
    take_of = "select take_tokens(%s, '{ada,account}', '{0.01,0.001}', '{1,9}')"
    query(take_of, CHANNEL_ID)

    assert query(take_of, CHANNEL_ID)[0][0] > 90
    assert 8 <= query(LEFT, "account")[0][0] < 8.1


def test_two_workers_share_the_accounts_rate_and_the_second_takes_nothing(owner, query):
    with connected(owner) as first, connected(owner) as second:
        assert take(first, "ada") == 0
        with second.cursor() as cursor:
            cursor.execute("set lock_timeout = '50ms'")
        second.commit()

        with pytest.raises(psycopg2.errors.LockNotAvailable):
            take(second, "eve")

        second.rollback()
        first.commit()
        waited = take(second, "eve")
        second.commit()

    assert waited > 90
    assert query(LEFT, "eve") == []  # no bucket is a full one


def test_whatever_order_they_are_named_in_two_workers_never_wait_for_each_other(owner):
    named = (["a", "b", "account"], ["account", "b", "a"])
    with connected(owner) as first, connected(owner) as second:
        for connection in (first, second):
            with connection.cursor() as cursor:
                cursor.execute("set lock_timeout = '5s'")
            connection.commit()
        _at_once(first, second, named)


def _at_once(first, second, named) -> None:
    def run(connection, subjects) -> None:
        for _ in range(200):
            with connection.cursor() as cursor:
                cursor.execute(
                    "select take_tokens(%s, %s, '{9,9,9}', '{9,9,9}')", (CHANNEL_ID, subjects)
                )
            connection.commit()

    with ThreadPoolExecutor(2) as pool:
        pairs = zip((first, second), named, strict=True)
        for done in [pool.submit(run, *pair) for pair in pairs]:
            done.result(60)
