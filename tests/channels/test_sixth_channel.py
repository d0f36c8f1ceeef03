"""Another vendor is a file of its own and a line in the registry: a toy one, all the way."""

import ast
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import f.channels.registry as registry
from f.channels import telegram
from f.channels.messages import Delivery, InboundMessage, WebhookRefused
from f.channels.rules import Rules
from f.chat import load_turn, run_agent, send_reply
from tests.channels.vendors import add_channel, deliver
from tests.conftest import SEALING_KEY
from tests.scripted_model import says

ROOT = Path(__file__).parents[2]
MODEL = {"base_url": "", "api_key": "", "model": "scripted", "embedding_model": ""}


@pytest.fixture
def pigeons(monkeypatch):
    """Letters by pigeon: what flew away is in `pigeons.sent`."""
    sent = []

    def verify(request, credentials):
        if request.headers.get("x-ring") != credentials["ring"]:
            raise WebhookRefused(401, "signature_wrong", "Not our pigeon.")

    def parse(request):
        letter = json.loads(request.body)
        return [
            Delivery(None, [InboundMessage(letter["id"], letter["loft"], "text", letter["text"])])
        ]

    def send_text(credentials, to, text, client_reference):
        sent.append((to.address, text))
        return f"feather-{len(sent)}"

    library = SimpleNamespace(
        RULES=Rules(typing_seconds=0),
        acknowledged=telegram.acknowledged,
        verify=verify,
        parse=parse,
        split_text=lambda text: [text],
        send_text=send_text,
        sent=sent,
    )
    monkeypatch.setitem(registry.LIBRARIES, "pigeon", "f.channels.pigeon")
    monkeypatch.setitem(sys.modules, "f.channels.pigeon", library)
    return library


def test_a_letter_by_pigeon_is_answered_by_pigeon(query, windmill, database, model, pigeons):
    add_channel(query, "pigeon", "loft7", {"ring": "42"})
    letter = json.dumps({"id": "1", "loft": "tower", "text": "Are you open?"}).encode()
    model.will(says("Until six."))

    assert deliver("pigeon-loft7", letter, {"x-ring": "1"})["windmill_status_code"] == 401
    assert deliver("pigeon-loft7", letter, {"x-ring": "42"})["windmill_status_code"] == 200
    conversation_id = windmill.started[0][1]["conversation_id"]
    turn = load_turn.main(database, MODEL, conversation_id)
    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
    send_reply.main(database, SEALING_KEY, conversation_id, turn["turn_id"], turn["fence"])

    assert pigeons.sent == [("tower", "Until six.")]
    assert query("select state from outbound_messages") == [("sent",)]


def test_nothing_but_the_registry_names_a_vendor():
    kinds = set(registry.LIBRARIES) - {"web"}
    own = re.compile("|".join(sorted(kinds)))
    named = []
    for path in sorted((ROOT / "f").rglob("*.py")):
        vendors_own = path.parent.name == "channels" and own.match(path.stem)
        if vendors_own or path.stem in ("registry", "signatures"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in kinds:
                named.append(f"{path.name}:{node.lineno}")

    assert named == []
