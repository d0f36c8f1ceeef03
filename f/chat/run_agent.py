"""Think, call tools, and commit the reply."""

import f.agent.loop as loop
import f.channels.registry as registry
import f.chat.turns as turns
from f.agent.guards import guard
from f.agent.knowledge_tool import KnowledgeTool
from f.agent.openai_model import OpenAIModel
from f.agent.prompts import system_prompt
from f.agent.toolbox import Toolbox
from f.shared.db import connect
from f.shared.resources import c_model, postgresql


def main(db: postgresql, model: c_model, turn_id: str, fence: int) -> dict:
    with connect(db) as conn:
        turn = turns.load(conn, turn_id, fence)
    if turn.state != "thinking":
        return {"state": turn.state, "model_calls": 0}
    replies, answer, receipt = think(db, model, turn)
    with connect(db) as conn:
        state = turns.commit(conn, turn, fence, replies, answer, model["model"], receipt)
    return {
        "state": state,
        "replies": len(replies),
        "model_calls": answer.model_calls,
        "tool_calls": len(answer.tool_calls),
        "guard": receipt["guard"],
    }


def think(db: postgresql, model: c_model, turn: turns.Turn) -> tuple[list[str], loop.Answer, dict]:
    """The replies, what they cost, and the receipt. No transaction is open while it thinks."""
    prompt = system_prompt(
        turn.chatbot_name, turn.organization_name, turn.instructions, turn.unknown_reply, turn.now
    )
    messages = [
        {"role": "system", "content": prompt},
        *turn.history,
        {"role": "user", "content": turn.question},
    ]
    toolbox = Toolbox([KnowledgeTool(db, model, turn.organization_id)])
    answer = loop.run(OpenAIModel(model, turn.max_reply_tokens), messages, toolbox)
    text, verdict = guard(answer.text, turn.unknown_reply, _link_sources(turn, messages))
    replies = registry.library(turn.channel_kind).split_text(text)
    return replies, answer, {"guard": verdict, "model": model["model"]}


def _link_sources(turn: turns.Turn, messages: list[dict]) -> str:
    found = [message["content"] for message in messages if message["role"] == "tool"]
    return "\n".join([turn.instructions, turn.unknown_reply, *found])
