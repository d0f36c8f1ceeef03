"""The steps of answer_message while the database is away, and beside other contacts."""

import pytest

from f.chat import load_turn, record_usage, report_failure, run_agent, save_turn, send_reply
from f.shared.errors import UpstreamDown
from tests.chat.tools import MODEL
from tests.conftest import SEALING_KEY
from tests.scripted_model import says


@pytest.fixture
def steps(database, model, whatsapp, windmill, arrive):
    """Each step as the flow calls it, on a database that is given; they go on where the last
    ended."""
    _, conversation_id, _ = arrive("How long do refunds take?")
    model.will(says("Five working days."))
    turn = {}

    def load(db):
        turn.update(load_turn.main(db, MODEL, conversation_id))

    def ids() -> tuple:
        return conversation_id, turn["turn_id"], turn["fence"]

    return {
        "load_turn": load,
        "run_agent": lambda db: run_agent.main(db, model.resource, *ids()[1:]),
        "send_reply": lambda db: send_reply.main(db, SEALING_KEY, *ids()),
        "save_turn": lambda db: save_turn.main(db, *ids()),
        "record_usage": lambda db: record_usage.main(db, *ids()),
    }


def test_d02_a_step_that_found_the_database_away_is_done_by_its_next_try(
    database, query, whatsapp, model, steps
):
    away = {**database, "host": "127.0.0.1", "port": 1}

    for step in steps.values():
        with pytest.raises(UpstreamDown) as error:
            step(away)
        assert error.value.retryable
        step(database)

    assert (len(whatsapp.accepted), len(model.requests)) == (1, 1)
    assert query("select state from turns") == [("finished",)]
    with pytest.raises(UpstreamDown):
        report_failure.main(away, None, None, "load_turn", "UpstreamDown", True)


def test_d11_no_transaction_is_open_while_the_model_thinks(database, query, model, steps):
    seen = []
    # The steps' sessions report no activity; but every transaction holds a lock on its own number.
    open_ones = (
        "select count(*) from pg_locks join pg_stat_activity using (pid)"
        " where locktype = 'virtualxid' and datname = current_database()"
        " and pid <> pg_backend_pid()"
    )
    model.meanwhile(lambda: seen.extend(query(open_ones)))

    steps["load_turn"](database)
    steps["run_agent"](database)

    assert seen == [(0,)]


def test_x15_what_one_contact_said_is_never_shown_to_the_model_for_another(
    database, query, model, steps, arrive
):
    for step in steps.values():
        step(database)
    _, other, _ = arrive("And gift cards?", contact_key="15559999")
    model.will(says("At once."))

    turn = load_turn.main(database, MODEL, other)
    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    assert [line["content"] for line in model.requests[-1]["messages"][1:]] == ["And gift cards?"]
