"""Tools that a test approves for the seeded chatbot, and turns that call them."""

import json

from f.agent.approved_tool import definition_sha256
from tests.conftest import CHATBOT_ID, ORGANIZATION_ID

# Claiming takes only the model's name.
MODEL = {"base_url": "", "api_key": "", "model": "scripted", "embedding_model": ""}
# However often it is asked.
AWAY = [503] * 3
ORDER = {
    "name": "cancel_order",
    "description": "Cancels an order.",
    "inputSchema": {
        "type": "object",
        "properties": {
            "number": {"type": "string"},
            "customer": {"type": "string"},
            "effect_key": {"type": "string"},
        },
        "required": ["number", "customer"],
    },
}
STATUS = {
    "name": "status",
    "description": "Status of an order.",
    "inputSchema": {"type": "object", "properties": {"number": {"type": "string"}}},
    "outputSchema": None,
    "annotations": None,
}
ADD = """
insert into tools (organization_id, chatbot_id, kind, name, title, target, pinned_hash, definition,
                   definition_sha256, class, bindings, honours_key, approved_by, tool_server_id)
values (%s, %s, %s, %s, 'Cancel an order', %s, %s, %s, %s, %s, %s, %s, 'Ann', %s)
returning id::text
"""
BINDINGS = {"customer": "contact_key"}


def approve(
    query,
    class_="write",
    kind="script",
    definition=ORDER,
    target="f/shop/cancel_order",
    pinned_hash="0123456789abcdef",
    bindings=BINDINGS,
    honours_key=False,
    server_id=None,
    name=None,
):
    return query(
        ADD,
        ORGANIZATION_ID,
        CHATBOT_ID,
        kind,
        name or definition["name"],
        target,
        pinned_hash,
        json.dumps(definition),
        definition_sha256(definition),
        class_,
        json.dumps(bindings),
        honours_key,
        server_id,
    )[0][0]
