"""A whole turn of a conversation, by the steps as the flow calls them."""

import pytest

from f.chat import load_turn, record_usage, run_agent, save_turn, send_reply
from tests.chat.tools import MODEL
from tests.conftest import SEALING_KEY


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
