"""A contact who sends files by WhatsApp, and turns that read them."""

import pytest

from f.chat import load_turn, read_attachments, run_agent
from local.graph_api import GraphApi
from local.transcription_api import TranscriptionApi
from tests.channels.vendors import add_channel
from tests.chat.attachments.contact_files import add_transcription, post_to_whatsapp
from tests.chat.tools import MODEL
from tests.conftest import SEALING_KEY


@pytest.fixture
def graph(query, windmill):
    """WhatsApp's stand-in, with a channel connected to it."""
    with GraphApi("EAAtoken", ["100"]) as api:
        add_channel(query, "whatsapp", "100", api_url=api.base_url)
        yield api


@pytest.fixture
def ears(model):
    """An endpoint for transcription, at the model's address."""
    with TranscriptionApi("model-key") as api:
        yield api


@pytest.fixture
def says_by_whatsapp(query, graph):
    """send(kind, content, ...) posts a file as WhatsApp does; the conversation's id."""

    def send(kind: str, content: bytes | None, wa_id="15550001", number=1, caption=None, **body):
        if content is not None:
            graph.files[f"media{number}"] = content
        body |= {"id": f"media{number}"} | ({"caption": caption} if caption else {})
        message = {"from": wa_id, "id": f"wamid.{wa_id}.{number}", "type": kind, kind: body}
        value = {"metadata": {"phone_number_id": "100"}, "contacts": [{"wa_id": wa_id}]}
        value |= {"messages": [message]}
        change = {"field": "messages", "value": value}
        post_to_whatsapp(change)
        return query(
            "select conversation_id::text from inbound_messages where provider_message_id = %s",
            message["id"],
        )[0][0]

    return send


@pytest.fixture
def turn_of(database, model, ears, query):
    """answer(conversation id, ...) goes through the flow's steps until the reply is committed;
    the replies."""

    def answer(conversation_id: str, seeing=True, hearing=False) -> list[str]:
        resource = {**model.resource, "sees_pictures": seeing}
        if hearing:
            slot = {"base_url": f"{ears.base_url}/v1", "kind": "openai", "model": "whisper-1"}
            add_transcription(query, slot)
        turn = load_turn.main(database, MODEL, conversation_id)
        place = (turn["turn_id"], turn["fence"])
        if turn["has_files"]:
            read_attachments.main(database, resource, SEALING_KEY, *place)
        assert run_agent.main(database, resource, *place)["state"] == "answered"
        return [
            body
            for (body,) in query(
                "select body from outbound_messages where turn_id = %s order by position", place[0]
            )
        ]

    return answer
