"""Paid calls of models: each kept once, served to the same words, charged whoever lost the turn."""

import psycopg2
import pytest

import tests.db.usage as usage
from tests.db.test_usage_races import ORDERS, SUMS, walk  # noqa: F401 - a fixture
from tests.db.turns import claim, commit, finish, pay
from tests.db.usage import RESERVE, SETTLE, alerts, open_turns

LOST = "select book_lost_call(%(turn)s, 1, 0, gen_random_uuid(), 'm', 30, 20, false)"
CALL_ID = "00000000-0000-4000-8000-00000000c0de"


def lose(query, turn_id, fence=1, call_id=CALL_ID, model="m", input_tokens=30):
    text = "select book_lost_call(%s, %s, 0, %s, %s, %s, 20, false)"
    return query(text, turn_id, fence, call_id, model, input_tokens)[0][0]


def overtaken(query, conversation_id):
    """Another worker has the conversation now; its fence."""
    query("update conversation_work set lease_until = now() - interval '1 second'")
    return claim(query, conversation_id)[1]


@pytest.fixture
def held_turn(query, meter):
    """A turn with a reservation that its first worker lost, without the flow around it."""

    def begin(tokens=1000):
        (turn_id,) = open_turns(query, 1)
        query(
            "insert into conversation_work (conversation_id, organization_id, fence)"
            " select conversation_id, organization_id, 2 from turns where id = %s",
            turn_id,
        )
        meter.run(RESERVE, turn_id, tokens=tokens)
        return turn_id

    return begin


def test_k14_a_lost_call_is_charged_with_the_turns_others(query, thinking):
    conversation_id, turn_id, fence = thinking
    newer = overtaken(query, conversation_id)

    assert lose(query, turn_id, fence)
    commit(query, turn_id, newer)
    finish(query, turn_id, newer)

    charged = "select model_calls, input_tokens, output_tokens from usage_events"
    assert query(charged) == [(2, 130, 40)]
    assert query("select tokens_used, tokens_overrun from usage_periods") == [(170, 0)]


def test_k14_a_lost_call_that_comes_after_the_charge_is_charged_beside_it(query, thinking):
    query("insert into prices values ('m', '2026-01-01', 2, 10)")
    conversation_id, turn_id, fence = thinking
    newer = overtaken(query, conversation_id)
    commit(query, turn_id, newer)
    finish(query, turn_id, newer)

    assert lose(query, turn_id, fence)

    charged = "select model_calls, input_tokens, output_tokens, cost_microcents from usage_events"
    assert query(charged) == [(2, 130, 40, 130 * 2 + 40 * 10)]
    assert query(
        "select messages_used, tokens_used, tokens_overrun,"
        " cost_microcents + cost_overrun_microcents from usage_periods"
    ) == [(1, 120, 50, 660)]


def test_q10_a_lost_call_is_booked_once_however_often_it_is_told(query, held_turn, meter):
    turn_id = held_turn()

    told = [lose(query, turn_id), lose(query, turn_id)]
    meter.run(SETTLE, turn_id)
    told.append(lose(query, turn_id))

    assert told == [True, False, False]
    assert query("select model_calls, input_tokens from usage_events") == [(1, 30)]


def test_a_lost_call_without_a_price_leaves_the_turns_cost_unknown(query, held_turn, meter):
    turn_id = held_turn()
    meter.run(SETTLE, turn_id)

    lose(query, turn_id, model="nobody knows its price")

    assert query("select model_calls, cost_microcents from usage_events") == [(1, None)]
    assert query("select tokens_overrun from usage_periods") == [(50,)]


EVENT = """
select model, model_calls, input_tokens, output_tokens, is_estimated, cost_microcents
  from usage_events where turn_id = %s
"""
OF_TURNS = "select sum(input_tokens + output_tokens), sum(cost_microcents) from usage_events"
OF_MONTH = """
select tokens_used + tokens_overrun, cost_microcents + cost_overrun_microcents from usage_periods
"""


@pytest.mark.parametrize("model", ["m", "dear", "nobody knows its price"])
def test_k14_a_lost_call_is_charged_the_same_before_and_after_its_turn(
    query, held_turn, meter, model
):
    query("insert into prices values ('m', '2026-01-01', 2, 10), ('dear', '2026-01-01', 90, 90)")
    before, after = held_turn(), held_turn()
    for turn_id in (before, after):
        usage.pay(query, turn_id)

    lose(query, before, model=model)
    meter.run(SETTLE, before)
    meter.run(SETTLE, after)
    lose(query, after, model=model)

    charged = [query(EVENT, turn_id) for turn_id in (before, after)]
    assert charged[0] == charged[1]
    assert charged[0][0][1:4] == (2, 110, 40)
    assert query(OF_MONTH) == query(OF_TURNS)


TOO_MANY = 10_000_001


@pytest.mark.parametrize(
    ("stored_tokens", "charged_tokens"),
    [(80, (1080, 20)), (TOO_MANY, (1000, 0))],
    ids=["alone", "not alone"],
)
@pytest.mark.parametrize("is_late", [False, True], ids=["before", "after"])
def test_q04_a_lost_call_that_can_not_have_used_so_much_is_charged_as_what_was_held(
    query, held_turn, meter, stored_tokens, charged_tokens, is_late
):
    turn_id = held_turn(1000)
    usage.pay(query, turn_id, input_tokens=stored_tokens)

    steps = [
        lambda: lose(query, turn_id, input_tokens=TOO_MANY),
        lambda: meter.run(SETTLE, turn_id),
    ]
    for step in reversed(steps) if is_late else steps:
        step()

    assert query(EVENT, turn_id) == [("m", 2, *charged_tokens, True, None)]
    assert query(OF_MONTH)[0][0] == sum(charged_tokens)


@pytest.mark.parametrize(
    ("tokens", "model", "codes"),
    [(1000, "m", []), (149, "m", [("usage_overrun", 1)]), (1000, "dear", [("usage_overrun", 1)])],
    ids=["within", "more tokens", "more money"],
)
@pytest.mark.parametrize("is_late", [False, True], ids=["before", "after"])
def test_q03_a_lost_call_that_passes_what_its_turn_had_reserved_is_told(
    query, held_turn, meter, tokens, model, codes, is_late
):
    query("insert into prices values ('m', '2026-01-01', 2, 10), ('dear', '2026-01-01', 900, 900)")
    turn_id = held_turn(tokens)
    usage.pay(query, turn_id)

    steps = [lambda: lose(query, turn_id, model=model), lambda: meter.run(SETTLE, turn_id)]
    for step in reversed(steps) if is_late else steps:
        step()

    assert alerts(query) == codes


@pytest.mark.parametrize("fence", [0, 2, 3, None])
def test_who_did_not_lose_the_turn_books_nothing(query, held_turn, fence):
    turn_id = held_turn()

    assert lose(query, turn_id, fence) is False
    assert query("select count(*) from model_calls") == [(0,)]


def test_a_turn_that_is_erased_is_charged_no_more(query, held_turn):
    turn_id = held_turn()
    query("delete from turns")

    assert lose(query, turn_id) is False


def test_a_lost_call_is_counted_in_every_order_with_the_charge(query, walk, held_turn):  # noqa: F811
    for order in ORDERS:
        turn_id = held_turn()

        walk(order, (SETTLE, turn_id), (LOST, turn_id))

        assert query(SUMS) == [(True,)], order
        charged = "select model_calls, input_tokens from usage_events where turn_id = %s"
        assert query(charged, turn_id) == [(1, 30)], order


def test_two_lost_calls_of_a_turn_are_both_counted(query, walk, held_turn, meter):  # noqa: F811
    for order in ORDERS:
        turn_id = held_turn()

        walk(order, (LOST, turn_id), (LOST, turn_id))
        meter.run(SETTLE, turn_id)

        charged = "select model_calls, input_tokens from usage_events where turn_id = %s"
        assert query(charged, turn_id) == [(2, 60)], order


def test_a_worker_books_on_its_own_turn_without_seeing_it(query, database, held_turn, meter):
    turn_id = held_turn()

    with meter.connection.cursor() as cursor:
        cursor.execute(LOST, {"turn": turn_id})
        booked = cursor.fetchone()
        cursor.execute("select current_setting('chatmill.ticket', true)")
        assert (booked, cursor.fetchone()[0] or "") == ((True,), "")
    meter.connection.rollback()


def test_o07_a_call_that_is_to_be_served_again_is_not_stored_by_who_lost_the_turn(query, thinking):
    conversation_id, turn_id, fence = thinking
    overtaken(query, conversation_id)

    with pytest.raises(psycopg2.Error) as refused:
        pay(query, turn_id, fence)

    assert refused.value.pgcode == "STALE"


def test_k14_twins_of_one_step_are_both_charged_and_a_call_is_kept_once(query, thinking):
    _, turn_id, fence = thinking

    for position in (0, 1, 0, 1):
        pay(query, turn_id, fence, position=position)
    pay(query, turn_id, fence, draft=1)

    assert query("select draft, position from model_calls order by 1, 2") == [
        (0, 0),
        (0, 1),
        (1, 0),
    ]


TOLD = "select told_at > now() - interval '1 minute' from turns"


@pytest.mark.parametrize(
    ("paid", "is_new"),
    [("nothing", True), ("an answer", False), ("a lost one", True), ("of another draft", True)],
)
def test_a_model_is_told_the_same_time_while_an_answer_of_it_is_kept(query, thinking, paid, is_new):
    conversation_id, turn_id, fence = thinking
    newer = overtaken(query, conversation_id)
    query("update turns set told_at = told_at - interval '1 hour'")
    if paid == "a lost one":
        lose(query, turn_id, fence)
    elif paid != "nothing":
        pay(query, turn_id, newer, draft=int(paid == "of another draft"))

    query("select begin_attempt(%s, %s)", turn_id, newer)

    assert query(TOLD) == [(is_new,)]


def test_a_step_that_is_run_again_by_its_own_flow_is_told_the_same_time(query, thinking):
    _, turn_id, fence = thinking
    query("select begin_attempt(%s, %s)", turn_id, fence)
    query("update turns set told_at = told_at - interval '1 hour'")

    query("select begin_attempt(%s, %s)", turn_id, fence)

    assert query(TOLD) == [(False,)]
