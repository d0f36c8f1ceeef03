"""./chatmill replay: let a turn be answered again, with today's prompt, documents and model."""

import argparse
import difflib
import json
import uuid

from f.agent.context import Known, Line
from f.chat.conversation_memory import prompt_place
from f.shared.crypto import open_sealed
from local.chatbot_settings import settings_of
from local.errors import CannotRun
from local.facts import rows
from local.migrations import connection_to
from local.models import open_model
from local.places import STATE
from local.postgres import open_postgres
from local.receipt import read_receipt
from local.rehearsal import Stage, rehearse, turn_for
from local.secrets_file import load_secrets
from local.terminal import heading, wrapped

PROMPT = "select sealed_prompt from turn_prompts where turn_id = %(turn_id)s"


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    with open_postgres(STATE) as postgres, open_model() as model:
        then = read_receipt(postgres.resource, str(options.turn))
        key = load_secrets(STATE).sealing_key
        settings = None
        if options.chatbot_version:
            settings = settings_of(postgres.resource, then["chatbot_id"], options.chatbot_version)
        stage = Stage(postgres.resource, model, key, then["chatbot_id"], settings, options.model)
        now = replay(stage, then)
    report(then, now)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill replay",
        description="Answer a turn again without telling anybody, and show the difference.",
    )
    parser.add_argument("turn", type=uuid.UUID, help="its id")
    parser.add_argument("--chatbot-version", type=int, metavar="V", help="else the one in use")
    parser.add_argument("--model", metavar="M", help="at the first slot's vendor; else as in use")
    return parser.parse_args(arguments)


def replay(stage: Stage, then: dict) -> dict:
    """What would be answered now: `text`, `guard`, `route`, `tools`, `passages`, `tokens`."""
    tokens = [0, 0]

    def count(completion) -> None:
        tokens[0] += completion.input_tokens
        tokens[1] += completion.output_tokens

    turn = turn_for(stage, then["question"] or "", known_then(stage, then["id"]))
    draft = rehearse(stage, turn, count)
    return {
        "text": draft.reply.text,
        "guard": draft.reply.verdict,
        "route": draft.reply.route.kind,
        "tools": [call["tool"] for call in draft.thought.tool_calls],
        "passages": passages_of(draft.thought.tool_calls),
        "tokens": tuple(tokens),
    }


def known_then(stage: Stage, turn_id: str) -> Known:
    """The conversation as the turn was told it."""
    with connection_to(stage.resource) as connection:
        found = rows(connection, PROMPT, {"turn_id": turn_id})
    if not found:
        return Known()  # no model was asked then
    prompt = open_sealed(stage.sealing_key, found[0]["sealed_prompt"], prompt_place(turn_id))
    told = json.loads(prompt)["messages"][1:-1]
    return Known([Line(n, one["role"], one["content"]) for n, one in enumerate(told)])


def passages_of(tool_calls: list[dict]) -> list[str]:
    return [
        f"{one['score']:.4f}  {one['heading_path'] or one['title']}"
        for call in tool_calls
        for one in call["result"].get("passages", [])
    ]


def report(then: dict, now: dict) -> None:
    if not then["replies"]:
        raise CannotRun("nothing was replied in that turn.")
    then_text = "\n".join(reply["body"] for reply in then["replies"])
    receipt = then["receipt"] or {}
    heading("Then")
    print(wrapped(then_text, indent="  "))
    heading("Now")
    print(wrapped(now["text"], indent="  "))
    heading("Difference")
    before = {
        "guard": receipt.get("guard"),
        "route": (receipt.get("route") or {}).get("kind"),
        "tools": [call["tool"] for call in then["tool_calls"]],
        "passages": passages_of(then["tool_calls"]),
    }
    lines = difference(then_text, now["text"], before, now)
    print("\n".join(lines) if lines else "  none")


def difference(then_text: str, now_text: str, before: dict, now: dict) -> list[str]:
    lines = [
        f"  {name}: {before[name]} -> {now[name]}"
        for name in ("guard", "route", "tools")
        if before[name] != now[name]
    ]
    for name, old, new in (
        ("passages", before["passages"], now["passages"]),
        ("reply", then_text.splitlines(), now_text.splitlines()),
    ):
        changed = [one for one in difflib.ndiff(old, new) if one[:1] in "+-" and one[2:].strip()]
        lines += [f"  {name} {one}" for one in changed]
    return lines
