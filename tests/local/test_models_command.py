"""Models of a chatbot, added where only their sealed key is kept."""

import pytest

from f.agent.contact_files import sees
from f.agent.model_slot import slots_of, transcription_slot
from local.errors import CannotRun
from local.models_command import add, parse, remove, report
from tests.conftest import CHATBOT_ID, SEALING_KEY, connected

INSTALLATION = {"base_url": "", "api_key": "", "model": "installed", "embedding_model": ""}


def test_a_model_that_was_added_is_asked_with_its_key(owner, query, capsys):
    options = parse(["add", "anthropic", "claude", "--tier", "1", "--weight", "3"])

    add(owner, SEALING_KEY, options, "canary-key")
    with connected(owner) as connection:
        (slot,) = slots_of(connection, CHATBOT_ID, {}, None, SEALING_KEY)
    report(owner)

    assert (slot.kind, slot.model, slot.key, slot.tier, slot.weight) == (
        "anthropic",
        "claude",
        "canary-key",
        1,
        3,
    )
    assert "canary" not in f"{query('select * from model_slots')}{capsys.readouterr().out}"


def test_a_model_that_was_removed_is_gone_and_a_stranger_is_named(owner, query):
    slot_id = add(owner, SEALING_KEY, parse(["add", "openai", "gpt"]), "key")

    remove(owner, slot_id)

    assert query("select count(*) from model_slots") == [(0,)]
    with pytest.raises(CannotRun):
        remove(owner, slot_id)


def test_a_model_that_hears_voice_messages_answers_nothing(owner, query):
    add(owner, SEALING_KEY, parse(["add", "openai", "whisper-1", "--transcription"]), "key")

    with connected(owner) as connection:
        ears = transcription_slot(connection, CHATBOT_ID, {}, SEALING_KEY)
        (usual,) = slots_of(connection, CHATBOT_ID, INSTALLATION, None, SEALING_KEY)

    assert (ears.model, ears.key) == ("whisper-1", "key")
    assert usual.model == "installed"


def test_the_installations_endpoint_hears_where_its_resource_says_so(owner):
    with connected(owner) as connection:
        named = {**INSTALLATION, "transcription_model": "whisper-1"}
        assert transcription_slot(connection, CHATBOT_ID, named, SEALING_KEY).model == "whisper-1"
        assert transcription_slot(connection, CHATBOT_ID, INSTALLATION, SEALING_KEY) is None


@pytest.mark.parametrize(
    ("flag", "is_seeing"), [("--sees-pictures", True), ("--no-sees-pictures", False)]
)
def test_whether_a_model_sees_may_be_told_where_its_name_does_not(owner, flag, is_seeing):
    add(owner, SEALING_KEY, parse(["add", "openai", "gpt-4.1-tuned", flag]), "key")

    with connected(owner) as connection:
        (slot,) = slots_of(connection, CHATBOT_ID, INSTALLATION, None, SEALING_KEY)

    assert sees(slot) is is_seeing
