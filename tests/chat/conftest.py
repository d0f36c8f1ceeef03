"""A whole turn of a conversation, by the steps as the flow calls them, and where it may stand."""

import pytest

from f.chat import load_turn, record_usage, run_agent, save_turn, send_reply
from f.shared.errors import UpstreamDown
from tests.chat.tools import MODEL
from tests.conftest import SEALING_KEY
from tests.scripted_model import says


@pytest.fixture
def say(database, windmill, whatsapp, arrive, query, model):
    """say(question, *answers) -> what the contact reads; one whole turn."""

    def run(question, *answers, contact_key="15550001"):
        model.will(*answers)
        _, conversation_id, _ = arrive(question, contact_key=contact_key)
        turn = load_turn.main(database, MODEL, conversation_id)
        run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
        send_reply.main(database, SEALING_KEY, conversation_id, turn["turn_id"], turn["fence"])
        save_turn.main(database, conversation_id, turn["turn_id"], turn["fence"])
        record_usage.main(database, conversation_id, turn["turn_id"], turn["fence"])
        return whatsapp.accepted[-1]["text"]["body"]

    return run


@pytest.fixture
def loaded(database, windmill, arrive):
    """A question that waits, claimed: (conversation id, load_turn's result)."""
    _, conversation_id, _ = arrive("How long do refunds take?")
    return conversation_id, load_turn.main(database, MODEL, conversation_id)


@pytest.fixture
def answered(database, loaded, model):
    """A turn whose reply is committed: (conversation id, turn id, fence)."""
    conversation_id, turn = loaded
    model.will(says("Five working days."))
    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
    return conversation_id, turn["turn_id"], turn["fence"]


@pytest.fixture
def send(database, answered):
    """send() -> what send_reply tells of it."""
    conversation_id, turn_id, fence = answered
    return lambda: send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)


@pytest.fixture
def taken_up_again(database, windmill, arrive, query, model, monkeypatch):
    """taken_up_again(question, paid, between, anew) -> what run_agent tells the second worker. The
    first one paid for the answers `paid` (tests.chat.tools.AWAY: and the model was away then) and
    was lost before its commit, or where a KeyboardInterrupt killed it; then `between` happened.
    `before`: what did before it began. `anew`: what the model answers the second."""

    def run(question, paid, between=lambda: None, anew=(), before=lambda: None):
        _, conversation_id, _ = arrive(question)
        turn = load_turn.main(database, MODEL, conversation_id)
        before()
        model.will(*paid)
        with monkeypatch.context() as patch, pytest.raises((UpstreamDown, KeyboardInterrupt)):
            patch.setattr("f.chat.turns.commit", _lost)
            run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
        query("delete from model_breakers")
        query("update conversation_work set lease_until = null")
        between()
        model.will(*anew)
        again = load_turn.main(database, MODEL, conversation_id)
        return run_agent.main(database, model.resource, again["turn_id"], again["fence"])

    return run


def _lost(*_):
    raise UpstreamDown("this worker is gone")
