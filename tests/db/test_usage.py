"""Quota: reserved before, settled after, never passed by however many at once (matrix Q)."""

import contextlib

import psycopg2
import pytest

from tests.conftest import ORGANIZATION_ID
from tests.db.turns import claim, gather
from tests.db.usage import (
    NOTICE,
    RELEASE,
    RESERVE,
    SETTLE,
    alerts,
    at_once,
    open_turns,
    pay,
)

USED = "select messages_used, messages_reserved, tokens_used, tokens_reserved from usage_periods"


def test_q01_two_hundred_writers_at_the_last_ten_messages_get_ten(query, database, meter):
    query("update plans set message_limit = 10")

    decisions = at_once(database, RESERVE, open_turns(query, 200))

    assert decisions.count("spent") == 190
    assert query("select messages_reserved from usage_periods") == [(10,)]
    assert alerts(query) == [("usage_near_limit", 1), ("usage_spent", 1)]


def test_q02_two_hundred_writers_at_the_last_tokens_never_pass_them(query, database, meter):
    query("update plans set token_limit = 9500")
    turn_ids = open_turns(query, 200)

    decisions = dict(zip(turn_ids, in_order(database, turn_ids, tokens=900), strict=True))
    served = [turn_id for turn_id, decision in decisions.items() if decision != "spent"]
    for number, turn_id in enumerate(served):
        pay(query, turn_id, 400, 100 + 40 * number)
        meter.run(SETTLE, turn_id)

    assert len(served) == 10
    assert query(USED) == [(10, 0, 10 * 500 + 40 * 45, 0)]
    assert alerts(query) == [("usage_near_limit", 1), ("usage_spent", 1)]


def test_q02_two_hundred_writers_at_the_last_cost_never_pass_it(query, database, meter):
    query("insert into prices values ('m', '2026-01-01', 2, 10)")
    query("update plans set cost_limit_microcents = 10 * 1000 + 999")

    decisions = at_once(database, RESERVE, open_turns(query, 200))

    assert decisions.count("spent") == 190
    assert query("select cost_reserved_microcents from usage_periods") == [(10000,)]
    assert alerts(query) == [("usage_near_limit", 1), ("usage_spent", 1)]


def test_q03_what_a_turn_used_beyond_its_hold_is_booked_beside_it_and_told_once(query, meter):
    query("update plans set token_limit = 300")
    first, second = open_turns(query, 2)
    meter.run(RESERVE, first, tokens=100)
    pay(query, first, 250, 50)

    for _ in range(2):
        meter.run(SETTLE, first)

    assert query("select tokens_used, tokens_overrun from usage_periods") == [(100, 200)]
    assert ("usage_overrun", 1) in alerts(query)
    assert meter.run(RESERVE, second, tokens=1) == "spent"


def test_q04_a_usage_that_can_not_be_true_is_refused_or_estimated(query, meter):
    impossible = [(None, 5), (-1, 5), (5, -7), (10**12, 0), (0, 10**12)]
    query("alter table model_calls alter input_tokens drop not null")
    turn_ids = open_turns(query, len(impossible))
    for turn_id, reported in zip(turn_ids, impossible, strict=True):
        meter.run(RESERVE, turn_id, tokens=100)
        with contextlib.suppress(psycopg2.IntegrityError):
            pay(query, turn_id, *reported)
        meter.run(SETTLE, turn_id)

    estimated = query("select count(*) from usage_events where is_estimated")[0][0]
    assert query("select count(*) from model_calls") == [(estimated,)]
    assert query(USED) == [(5, 0, 100 * estimated, 0)]
    assert query("select sum(tokens_overrun) from usage_periods") == [(0,)]
    assert alerts(query) == ([("usage_estimated", estimated)] if estimated else [])


def test_q04_a_hold_of_no_or_an_absurd_size_is_refused(query, meter):
    (turn_id,) = open_turns(query, 1)

    for tokens in (None, -1, 10**12):
        with pytest.raises(psycopg2.Error):
            meter.run(RESERVE, turn_id, tokens=tokens)

    assert query("select count(*) from usage_holds") == [(0,)]


def test_q05_a_hold_whose_turn_is_gone_is_given_back_and_an_open_turn_keeps_its_own(query, meter):
    lost, open_one, finished = turn_ids = open_turns(query, 3)
    for turn_id in turn_ids:
        meter.run(RESERVE, turn_id)
    query("update turns set state = 'held' where id = %s", lost)
    finish(query, finished)
    query("update usage_holds set expires_at = now() - interval '1 second'")

    assert query("select release_expired_holds()") == [(2,)]
    assert query("select turn_id::text from usage_holds") == [(open_one,)]
    assert query(USED) == [(1, 1, 0, 100)]
    assert query("select messages_used from chatbot_days") == [(2,)]


def test_k04_q05_a_turn_that_is_tried_again_keeps_its_hold_and_its_decision(query, meter):
    query("update plans set message_limit = 1")
    (turn_id,) = open_turns(query, 1)

    first = meter.run(RESERVE, turn_id)
    query("update usage_holds set expires_at = now()")

    assert [meter.run(RESERVE, turn_id), meter.run(RESERVE, turn_id)] == [first, first]
    assert query(USED) == [(0, 1, 0, 100)]
    assert query("select expires_at > now() + interval '14 minutes' from usage_holds") == [(True,)]


@pytest.mark.parametrize("used", [79, 30])
def test_q06_two_hundred_writers_across_eighty_percent_warn_once(query, database, meter, used):
    query("update plans set message_limit = 1000")
    query("select open_usage_period(%s, current_date)", ORGANIZATION_ID)
    query("update usage_periods set messages_used = %s", used * 10)

    at_once(database, RESERVE, open_turns(query, 200))

    expected = [("usage_near_limit", 1)] if used == 79 else []
    assert alerts(query) == expected


def test_q06_a_counter_that_jumps_over_the_line_warns_once(query, meter):
    query("update plans set token_limit = 100")
    turn_ids = open_turns(query, 3)

    meter.run(RESERVE, turn_ids[0], tokens=79)
    meter.run(RESERVE, turn_ids[1], tokens=17)
    meter.run(RELEASE, turn_ids[1])
    meter.run(RESERVE, turn_ids[2], tokens=3)
    query("update alerts set posted_at = now()")
    meter.run(RELEASE, turn_ids[2])
    meter.run(RESERVE, open_turns(query, 1)[0], tokens=10)

    assert alerts(query) == [("usage_near_limit", 1)]


def test_q07_a_spent_plan_answers_nobody_and_tells_each_contact_once_a_day(query, meter, clock):
    query("update plans set message_limit = 0")
    ada, bob = open_turns(query, 2)

    assert meter.run(RESERVE, ada) == "spent"
    notices = [meter.run(NOTICE, turn_id) for turn_id in (ada, ada, bob)]
    clock(query("select now() + interval '1 day'")[0][0])
    notices.append(meter.run(NOTICE, ada))

    text = query("select limit_notice from chatbots")[0][0]
    assert notices == [text, None, text, text]


def test_q07_a_refused_turn_keeps_its_messages_for_people_and_calls_no_model(query, arrive):
    query("update plans set message_limit = 0")
    decisions = []
    for _ in range(2):
        _, conversation_id, _ = arrive("Hi")
        query("update conversation_work set due_at = now(), lease_until = null")
        _, fence, arrivals = claim(query, conversation_id)
        decisions.append(gather(query, conversation_id, fence, arrivals)[:2])
        query("update turns set state = 'refused' where state = 'answered'")

    assert decisions == [("answer", "spent"), ("refuse", "spent")]
    assert query("select distinct state from inbound_messages") == [("refused",)]
    assert query("select outcome from turns order by created_at") == [("limit_notice",), (None,)]
    assert alerts(query) == [("usage_spent", 1)]


def test_q07_a_limit_never_touches_an_off_switch(query, meter):
    query("update plans set message_limit = 1")
    query("update chatbots set is_active = false")

    for turn_id in open_turns(query, 3):
        meter.run(RESERVE, turn_id)
    query("update plans set message_limit = 5")

    assert query("select is_active from chatbots") == [(False,)]
    assert query("select is_active from organizations") == [(True,)]


def test_q09_a_limit_set_below_what_is_used_stops_the_next_turn_and_nothing_else(query, meter):
    turn_ids = open_turns(query, 5)
    for turn_id in turn_ids[:3]:
        meter.run(RESERVE, turn_id)
    pay(query, turn_ids[0])

    query("update plans set message_limit = 1, token_limit = 5, cost_limit_microcents = 0")
    meter.run(SETTLE, turn_ids[0])
    meter.run(RELEASE, turn_ids[1])
    lowered = meter.run(RESERVE, turn_ids[3])
    query("update plans set message_limit = 9, token_limit = 999, cost_limit_microcents = null")

    assert (lowered, meter.run(RESERVE, turn_ids[4])) == ("price_unknown", "normal")
    assert query(USED) == [(1, 2, 100, 200)]


def test_q09_an_organization_on_another_plan_has_it_at_once_and_keeps_what_it_used(query, meter):
    meter.run(RESERVE, open_turns(query, 1)[0])
    query("insert into plans values ('small', 'Small', 1, 1000, null)")

    query("update organizations set plan_id = 'small'")

    assert query("select message_limit, messages_reserved from usage_periods") == [(1, 1)]
    assert meter.run(RESERVE, open_turns(query, 1)[0]) == "spent"


def test_q10_retries_and_twins_take_and_charge_once(query, database, meter):
    (turn_id,) = open_turns(query, 1)

    decisions = at_once(database, RESERVE, [turn_id] * 20, writers=20)
    pay(query, turn_id, draft=1)
    pay(query, turn_id, draft=2)
    costs = at_once(database, SETTLE, [turn_id] * 20, writers=20, tokens=300)
    meter.run(RELEASE, turn_id)
    late = meter.run(RESERVE, turn_id)

    assert (set(decisions), late, set(costs)) == ({"normal"}, "normal", {None})
    assert query("select messages_used, messages_reserved from usage_periods") == [(1, 0)]
    assert query("select tokens_used, tokens_overrun from usage_periods") == [(100, 100)]


def test_q11_nobody_passes_a_limit_by_writing_the_row(query, meter):
    query("insert into prices values ('m', '2026-01-01', 1, 1)")
    query("update plans set cost_limit_microcents = 1000")
    (turn_id,) = open_turns(query, 1)
    meter.run(RESERVE, turn_id)
    meter.run(SETTLE, turn_id)

    for write in (
        "messages_used = message_limit + 1",
        "messages_reserved = message_limit",
        "tokens_used = token_limit + 1",
        "tokens_reserved = token_limit + 1",
        "cost_microcents = cost_limit_microcents + 1",
        "cost_reserved_microcents = cost_limit_microcents + 1",
        "messages_used = 0",
        "tokens_used = -1",
    ):
        with pytest.raises(psycopg2.errors.CheckViolation):
            query(f"update usage_periods set {write}")


def test_q12_an_organization_that_is_new_has_its_plan_from_its_first_turn(query, meter):
    (turn_id,) = open_turns(query, 1)

    assert query("select count(*) from usage_periods") == [(0,)]
    assert meter.run(RESERVE, turn_id) == "normal"
    assert query("select message_limit from usage_periods") == query(
        "select message_limit from plans where id = 'demo'"
    )


def test_q12_a_period_that_was_used_can_not_be_deleted_to_begin_again(query, meter):
    held, charged = open_turns(query, 2)
    meter.run(RESERVE, held)
    meter.run(RESERVE, charged)
    meter.run(SETTLE, charged)

    for _ in range(2):
        with pytest.raises(psycopg2.errors.ForeignKeyViolation):
            query("delete from usage_periods")
        query("delete from usage_holds")

    assert query("select count(*) from usage_periods") == [(1,)]


def in_order(database, turn_ids, **values):
    writers = 40
    answers = iter(at_once(database, RESERVE, turn_ids, writers=writers, **values))
    by_turn = {
        turn_id: next(answers) for first in range(writers) for turn_id in turn_ids[first::writers]
    }
    return [by_turn[turn_id] for turn_id in turn_ids]


def finish(query, turn_id) -> None:
    query(
        "update turns set state = 'finished', sent_at = now(), saved_at = now(),"
        " charged_at = now() where id = %s",
        turn_id,
    )
