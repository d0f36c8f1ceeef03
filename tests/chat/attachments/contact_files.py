"""Files as a contact sends them by WhatsApp, and how what was made of them is seen."""

from f.agent.model_slot import sealing_place
from f.shared.crypto import seal
from tests.channels.vendors import post
from tests.conftest import SEALING_KEY

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"
# Opus in Ogg whose last page says 12 seconds.
OGG = b"OggS\0\2" + bytes(8) + b"OpusHead" + b"OggS\0\4" + (12 * 48_000).to_bytes(8, "little")
TEXT = b"Our order 4711 holds nine blue chairs.\n"


def post_to_whatsapp(change: dict) -> None:
    entry = {"id": "1", "changes": [change]}
    post("whatsapp", "100", {"object": "whatsapp_business_account", "entry": [entry]})


def add_transcription(query, slot: dict) -> None:
    [(slot_id,)] = query(
        "insert into model_slots (organization_id, chatbot_id, purpose, kind, model, base_url)"
        " select organization_id, id, 'transcription', %s, %s, %s from chatbots limit 1"
        " returning id::text",
        *(slot["kind"], slot["model"], slot["base_url"]),
    )
    sealed = seal(SEALING_KEY, "model-key", sealing_place(slot_id))
    query("update model_slots set sealed_key = %s where id = %s", sealed, slot_id)


def asked(model) -> list | str:
    """What the model was asked last."""
    return model.requests[-1]["messages"][-1]["content"]
