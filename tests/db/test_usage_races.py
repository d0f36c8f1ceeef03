"""Every order in which two connections can reserve and settle (matrix Q01, Q08, Q10)."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import connected
from tests.db.usage import RELEASE, RESERVE, SETTLE, Meter, open_turns, pay

# Each connection asks, then commits: the six ways to shuffle two such pairs.
ORDERS = sorted(set(itertools.permutations("AABB")))
SUMS = """
select messages_reserved = holds.count and tokens_reserved = holds.tokens
   and messages_used = events.count and tokens_used + tokens_overrun = events.tokens
   and cost_reserved_microcents = holds.cost and messages_used + messages_reserved <= message_limit
   and period.messages_used + messages_reserved = (select sum(messages_used) from chatbot_days)
   and period.messages_used + messages_reserved = (select sum(messages_used) from contact_days)
  from usage_periods as period,
       (select count(*), coalesce(sum(tokens), 0) as tokens,
               coalesce(sum(cost_microcents), 0) as cost from usage_holds) as holds,
       (select count(*) filter (where is_answered),
               coalesce(sum(input_tokens + output_tokens), 0) as tokens from usage_events) as events
"""


@pytest.fixture
def walk(database, query):
    """walk(order, a, b): each is (text, turn id); answers what both said, whoever had to wait."""

    def step(order, *asked):
        with connected(database) as first, connected(database) as second:
            with ThreadPoolExecutor(1) as pool_a, ThreadPoolExecutor(1) as pool_b:
                pools, meters = (pool_a, pool_b), (Meter(first), Meter(second))
                answers, asking = [None, None], []
                for letter in order:
                    mine = "AB".index(letter)
                    if answers[mine] is None:
                        answers[mine] = pools[mine].submit(meters[mine].ask, *asked[mine])
                        asking.append(answers[mine])
                    else:
                        asking.append(pools[mine].submit(meters[mine].connection.commit))
                    wait_until_done_or_waiting(query, asking[-1])
                for future in asking:
                    future.result(timeout=5)
                return [answer.result() for answer in answers]

    return step


def wait_until_done_or_waiting(query, future) -> None:
    for _ in range(1000):
        waiting = query(
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and cardinality(pg_blocking_pids(pid)) > 0"
        )
        if future.done() or waiting != [(0,)]:
            return
        time.sleep(0.002)
    raise AssertionError("neither done nor waiting")


def test_two_turns_at_the_last_message(query, walk, meter):
    for limit, order in enumerate(ORDERS, start=1):
        query("update plans set message_limit = %s", limit)
        one, other = open_turns(query, 2)

        decisions = walk(order, (RESERVE, one), (RESERVE, other))

        assert decisions.count("spent") == 1, order
        assert query(SUMS) == [(True,)]


def test_a_turn_that_settles_beside_one_that_reserves(query, walk, meter):
    for order in ORDERS:
        one, other = open_turns(query, 2)
        meter.run(RESERVE, one)
        pay(query, one, 30, 20)

        walk(order, (SETTLE, one), (RESERVE, other))

        assert query(SUMS) == [(True,)]


@pytest.mark.parametrize(
    "pair", [(RESERVE, RESERVE), (SETTLE, SETTLE), (SETTLE, RELEASE), (RESERVE, SETTLE)]
)
def test_twins_of_one_turn(query, walk, meter, pair):
    for order in ORDERS:
        (turn_id,) = open_turns(query, 1)
        if pair[0] != RESERVE or pair[1] != RESERVE:
            meter.run(RESERVE, turn_id)
            pay(query, turn_id)

        walk(order, (pair[0], turn_id), (pair[1], turn_id))

        assert query(SUMS) == [(True,)], order
        assert query(
            "select (select count(*) from usage_holds where turn_id = %s)"
            " + (select count(*) from usage_events where turn_id = %s)",
            turn_id,
            turn_id,
        ) == [(1,)]


def test_a_plan_that_changes_while_its_month_is_opened_is_in_force(query, walk, meter):
    plan = "update plans set message_limit = %(tokens)s returning 1"
    for number, order in enumerate(ORDERS):
        query("delete from usage_holds")
        query("delete from usage_periods")
        (turn_id,) = open_turns(query, 1)

        walk(order, (plan, turn_id, 500 + number), (RESERVE, turn_id))

        assert query("select message_limit from usage_periods") == [(500 + number,)], order
