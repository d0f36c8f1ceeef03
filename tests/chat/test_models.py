"""A chatbot's own models: who answers, what is kept of it, and who is left alone."""

import json

import pytest
from werkzeug import Response

from f.agent.breaker import Breaker
from f.agent.model_slot import sealing_place
from f.chat import run_agent, turns
from f.chat.model_calls import StoredModel
from f.shared.crypto import seal
from f.shared.errors import UpstreamDown
from tests.conftest import CHATBOT_ID, ORGANIZATION_ID, SEALING_KEY
from tests.scripted_model import says


@pytest.fixture
def add_slot(query, httpserver):
    def add(name, key="slot-key", tier=0, purpose="usual"):
        slot_id = query(
            "insert into model_slots (organization_id, chatbot_id, kind, model, base_url, tier,"
            " purpose) values (%s, %s, 'openai', %s, %s, %s, %s) returning id::text",
            ORGANIZATION_ID,
            CHATBOT_ID,
            name,
            httpserver.url_for(f"/{name}"),
            tier,
            purpose,
        )[0][0]
        sealed = seal(SEALING_KEY, key, sealing_place(slot_id))
        query("update model_slots set sealed_key = %s where id = %s", sealed, slot_id)

    return add


@pytest.fixture
def place(loaded):
    """Of the claimed turn: its id and fence."""
    _, turn = loaded
    return turn["turn_id"], turn["fence"]


def answers_with(httpserver, name, text, status=200):
    body = {"choices": [{"message": {"role": "assistant", "content": text}}]}
    httpserver.expect_request(f"/{name}/chat/completions").respond_with_data(
        json.dumps(body), status
    )


def test_the_chatbots_own_models_answer_and_the_next_tier_when_one_is_away(
    database, query, httpserver, place, model, add_slot
):
    add_slot("first")
    add_slot("second", tier=1)
    answers_with(httpserver, "first", "", 500)
    answers_with(httpserver, "second", "Five days.")

    run_agent.main(database, model.resource, *place)

    assert query("select body from outbound_messages") == [("Five days.",)]
    assert query("select model, is_estimated from model_calls") == [("second", True)]
    assert model.requests == []
    assert httpserver.log[-1][0].headers["authorization"] == "Bearer slot-key"


def test_an_economy_slot_answers_when_the_plan_is_nearly_used_up(
    database, query, httpserver, place, model, add_slot
):
    add_slot("usual")
    add_slot("cheap", purpose="economy")
    query("update chatbots set economy_model = 'cheap'")
    query("update turns set usage_decision = 'economy'")
    answers_with(httpserver, "cheap", "Five days.")

    run_agent.main(database, model.resource, *place)

    assert query("select model from model_calls") == [("cheap",)]


def test_l02_a_wrong_key_is_an_alert_and_the_contact_reads_the_failure_notice(
    database, query, place, model
):
    model.will(401)

    result = run_agent.main(database, model.resource, *place)

    assert (result["state"], result["guard"]) == ("answered", "model_refused")
    assert query("select body from outbound_messages") == query(
        "select failure_notice from chatbots"
    )
    assert query("select code from alerts") == [("model_refused",)]
    assert query("select mode from conversations") == [("bot",)]
    assert len(model.requests) == 1


def test_l03_while_the_breaker_is_open_nobody_is_asked_and_then_one_is(
    database, query, place, model
):
    model.will(*[500] * 3)
    for _ in range(2):
        with pytest.raises(UpstreamDown):
            run_agent.main(database, model.resource, *place)
    assert len(model.requests) == 3

    query("update model_breakers set open_until = now()")
    model.will(says("Five days."))
    run_agent.main(database, model.resource, *place)

    assert query("select body from outbound_messages") == [("Five days.",)]
    assert query("select count(*) from model_breakers") == [(0,)]


def test_l14_attempts_after_an_outage_share_the_time_of_the_first(database, query, place, model):
    model.will(*[500] * 3)
    with pytest.raises(UpstreamDown):
        run_agent.main(database, model.resource, *place)
    left = "select extract(epoch from think_until - now()) between 30 and 45 from turns"
    assert query(left) == [(True,)]

    query("update turns set think_until = now()")
    result = run_agent.main(database, model.resource, *place)

    assert (result["state"], result["guard"]) == ("answered", "model_time")
    assert query("select body = failure_notice from outbound_messages, chatbots") == [(True,)]
    assert len(model.requests) == 3


def test_an_attempt_after_an_outage_uses_what_time_is_left(database, query, place, model):
    query("update turns set think_until = now() + interval '20 s'")
    model.will(says("Five days."))

    run_agent.main(database, model.resource, *place)

    assert query("select body from outbound_messages") == [("Five days.",)]


def test_a_paid_answer_is_stored_before_anything_else_is_written(
    database, query, place, model, monkeypatch
):
    def lose_the_database(breaker, provider_key):
        raise UpstreamDown("the database is gone")

    monkeypatch.setattr(Breaker, "succeeded", lose_the_database)
    model.will(says("Five days."))

    with pytest.raises(UpstreamDown):
        run_agent.main(database, model.resource, *place)

    assert query("select count(*) from model_calls") == [(1,)]


def test_a_paid_answer_outlives_a_database_that_starts_again(
    database, query, place, model, monkeypatch
):
    monkeypatch.setattr("f.shared.db.PAUSES_SECONDS", (0, 0))
    write, away = StoredModel._write, iter([True, True, False])

    def write_or_fail(self, values):
        if next(away):
            raise UpstreamDown("the database is away")
        write(self, values)

    monkeypatch.setattr(StoredModel, "_write", write_or_fail)
    model.will(says("Five days."))

    run_agent.main(database, model.resource, *place)

    assert query("select body from outbound_messages") == [("Five days.",)]
    assert len(model.requests) == 1


def test_l03_of_two_workers_one_finds_out_whether_the_vendor_is_back(database, query, place):
    query(
        "insert into model_breakers values (%s, '0123456789abcdef', 3, now() - interval '1 s')",
        ORGANIZATION_ID,
    )

    def open_transaction():
        return turns.transaction(database, *place)

    with open_transaction() as conn:
        breakers = [Breaker(conn, open_transaction, place[0]) for _ in range(2)]

    assert [one.lets_through("0123456789abcdef") for one in breakers] == [True, False]


def test_a04_a_slots_key_is_in_no_row_no_result_and_no_error(
    database, query, httpserver, place, model, add_slot
):
    add_slot("first", key="canary-key-7f3a")
    httpserver.expect_request("/first/chat/completions").respond_with_handler(
        lambda request: Response("canary-key-7f3a", 500)
    )

    with pytest.raises(UpstreamDown) as caught:
        run_agent.main(database, model.resource, *place)

    assert "canary" not in f"{caught.value!r}{vars(caught.value)}"
    for table in ("model_slots", "model_breakers", "alerts", "turns", "model_calls"):
        assert "canary" not in str(query(f"select * from {table}"))
