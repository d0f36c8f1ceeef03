"""The ladder from the first turn of a month to the last, and the limits of a day."""

import psycopg2
import pytest

from tests.conftest import ORGANIZATION_ID
from tests.db.usage import NOTICE, RELEASE, RESERVE, SETTLE, alerts, at_once, open_turns, pay


def test_a_plan_is_answered_with_the_economy_model_from_95_percent_on(query, meter):
    query("update plans set message_limit = 20")

    decisions = [meter.run(RESERVE, turn_id) for turn_id in open_turns(query, 22)]

    assert decisions == ["normal"] * 18 + ["economy"] * 2 + ["spent"] * 2
    assert alerts(query) == [("usage_near_limit", 1), ("usage_spent", 1)]


def test_the_economy_models_price_leaves_room_where_the_usual_one_has_none(query, meter):
    query("insert into prices values ('dear', '2026-01-01', 10, 10), ('cheap', '2026-01-01', 1, 2)")
    query("update plans set cost_limit_microcents = 2500")
    query("update chatbots set economy_model = 'cheap'")

    decisions = [meter.run(RESERVE, turn_id, model="dear") for turn_id in open_turns(query, 5)]

    assert decisions == ["normal", "normal", "economy", "economy", "spent"]
    assert query("select cost_reserved_microcents from usage_periods") == [(2400,)]


def test_a_plan_with_a_cost_limit_never_pays_a_model_without_a_price(query, meter):
    query("update plans set cost_limit_microcents = 2500")

    decisions = [meter.run(RESERVE, turn_id) for turn_id in open_turns(query, 3)]
    query("update alerts set posted_at = now()")
    decisions.append(meter.run(RESERVE, open_turns(query, 1)[0]))

    assert set(decisions) == {"price_unknown"}
    assert alerts(query) == [("price_unknown", 1)]
    assert query("select count(*) from usage_holds") == [(0,)]


def test_each_meter_warns_of_itself_and_a_plan_is_spent_once(query, meter):
    query("insert into prices values ('m', '2026-01-01', 1, 1)")
    query("update plans set message_limit = 10, token_limit = 1000, cost_limit_microcents = 1000")

    for turn_id in open_turns(query, 12):
        meter.run(RESERVE, turn_id)

    assert query("select meter, level from usage_warnings order by meter") == [
        ("cost", "near_limit"),
        ("messages", "near_limit"),
        ("plan", "spent"),
        ("tokens", "near_limit"),
    ]
    assert alerts(query) == [("usage_near_limit", 1)] * 3 + [("usage_spent", 1)]


def test_a_price_of_another_day_is_not_used(query):
    query("insert into prices values ('m', current_date - 9, 2, 3), ('m', current_date + 1, 9, 9)")

    assert query("select price_of('m', 10, 100), price_of('unknown', 1, 1)") == [(320, None)]


def test_a_turn_is_charged_all_its_drafts_at_each_models_own_price(query, meter):
    query("insert into prices values ('m', '2026-01-01', 2, 3), ('other', '2026-01-01', 1, 1)")
    (turn_id,) = open_turns(query, 1)
    meter.run(RESERVE, turn_id, tokens=1000)
    pay(query, turn_id, 10, 100)
    pay(query, turn_id, 50, 50, model="other", draft=2)
    pay(query, turn_id, 10, 10, model="without a price", draft=2)

    assert meter.run(SETTLE, turn_id) == 320 + 100 + 20 * 3
    assert query("select model, model_calls, input_tokens, output_tokens from usage_events") == [
        ("m, other, without a price", 3, 70, 160)
    ]
    assert query("select cost_microcents, cost_reserved_microcents from usage_periods") == [
        (480, 0)
    ]


def test_a_turn_that_nobody_was_answered_by_pays_its_calls_and_gives_the_message_back(query, meter):
    (turn_id,) = open_turns(query, 1)
    meter.run(RESERVE, turn_id, tokens=1000)
    pay(query, turn_id, 10, 100)

    for _ in range(2):
        meter.run(RELEASE, turn_id)

    assert query(
        "select messages_used, messages_reserved, tokens_used, tokens_reserved from usage_periods"
    ) == [(0, 0, 110, 0)]
    assert query("select messages_used from contact_days") == [(0,)]


def test_an_erased_turn_gives_its_hold_back_and_an_erased_organization_takes_all(query, meter):
    erased, _ = turn_ids = open_turns(query, 2)
    for turn_id in turn_ids:
        meter.run(RESERVE, turn_id)

    query("delete from turns where id = %s", erased)

    assert query("select messages_reserved, tokens_reserved from usage_periods") == [(1, 100)]
    query("delete from organizations")
    assert query("select count(*) from usage_periods") == [(0,)]


def test_many_at_once_never_pass_a_chatbots_day(query, database, meter):
    query("update chatbots set daily_message_limit = 7")

    decisions = at_once(database, RESERVE, open_turns(query, 100))

    assert decisions.count("chatbot_limit") == 93
    assert query("select messages_used from chatbot_days") == [(7,)]
    assert query("select sum(messages_used) from contact_days") == [(7,)]
    assert query("select messages_reserved from usage_periods") == [(7,)]


def test_a_contact_has_a_day_of_their_own_and_another_one_tomorrow(query, meter, clock):
    query("update chatbots set contact_daily_message_limit = 2")
    turn_ids = open_turns(query, 4)
    query("update turns set state = 'refused'")
    query("update turns set conversation_id = (select conversation_id from turns limit 1)")

    today = [meter.run(RESERVE, turn_id) for turn_id in turn_ids[:3]]
    clock(query("select now() + interval '1 day'")[0][0])

    assert today == ["normal", "normal", "contact_limit"]
    assert meter.run(RESERVE, turn_ids[3]) == "normal"


@pytest.mark.parametrize("limit", ["daily_message_limit", "contact_daily_message_limit"])
def test_a_daily_limit_of_nothing_answers_nobody(query, meter, limit):
    query(f"update chatbots set {limit} = 0")

    decision = meter.run(RESERVE, open_turns(query, 1)[0])

    assert decision in ("chatbot_limit", "contact_limit")
    assert query("select count(*) from contact_days where messages_used > 0") == [(0,)]


def test_a_refused_turn_takes_nothing_from_any_day(query, meter):
    query("update plans set message_limit = 0")

    meter.run(RESERVE, open_turns(query, 1)[0])

    assert query("select count(*) from contact_days") == [(0,)]
    assert query("select count(*) from chatbot_days") == [(0,)]


def test_no_function_of_the_quota_serves_an_organization_that_was_not_proved(query, meter):
    (turn_id,) = open_turns(query, 1)
    meter.run(RESERVE, turn_id)
    stranger = "select prove_organization(gen_random_uuid())"

    for text in (RESERVE, SETTLE, RELEASE, NOTICE):
        values = {"turn": turn_id, "tokens": 1, "model": "m"}
        with pytest.raises(psycopg2.errors.InsufficientPrivilege), meter.connection as connection:
            with connection.cursor() as cursor:
                cursor.execute(stranger)
                cursor.execute(text, values)

    assert query("select organization_id::text from usage_holds") == [(ORGANIZATION_ID,)]
