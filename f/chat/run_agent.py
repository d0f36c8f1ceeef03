"""Think, call tools, and commit the reply."""

from functools import partial

import f.agent.loop as loop
import f.channels.registry as registry
import f.chat.lease as lease
import f.chat.turn_context as turn_context
import f.chat.turns as turns
from f.agent.guards import guard
from f.agent.knowledge_tool import KnowledgeTool
from f.agent.openai_model import OpenAIModel
from f.agent.prompts import system_prompt
from f.agent.toolbox import Toolbox
from f.chat.model_calls import StoredModel
from f.chat.turn_context import TurnContext
from f.shared.resources import c_model, postgresql


def main(db: postgresql, model: c_model, turn_id: str, fence: int) -> dict:
    with lease.kept(db, turn_id, fence):
        result = answer(db, model, turn_id, fence)
        while result["state"] == "draft_dropped":
            result = answer(db, model, turn_id, fence)
    return result


def answer(db: postgresql, model: c_model, turn_id: str, fence: int) -> dict:
    """One draft. No transaction is open while it thinks."""
    open_transaction = partial(turns.transaction, db, turn_id, fence)
    with open_transaction() as conn:
        turn = turn_context.load(conn, turn_id, fence)
    if turn.state != "thinking":
        return {"state": turn.state, "model_calls": 0}
    chosen = c_model(**{**model, "model": turn.economy_model or model["model"]})
    stored_model = StoredModel(
        OpenAIModel(chosen, turn.max_reply_tokens),
        open_transaction,
        turn_id,
        fence,
        turn.draft,
        turns.RESERVED_TOKENS,
    )
    toolbox = Toolbox([KnowledgeTool(open_transaction, model, turn.organization_id)])
    replies, thought, receipt = think(turn, stored_model, toolbox)
    with open_transaction() as conn:
        state = turns.commit(
            conn, turn_id, fence, replies, receipt, thought.tool_calls, stored_model.has_room
        )
    return {
        "state": state,
        "drafts_dropped": turn.draft,
        "replies": len(replies),
        "model_calls": thought.model_calls,
        "tool_calls": len(thought.tool_calls),
        "guard": receipt["guard"],
    }


def think(turn: TurnContext, model, toolbox: Toolbox) -> tuple[list[str], loop.Answer, dict]:
    """The replies, how they came about, and the receipt."""
    prompt = system_prompt(
        turn.chatbot_name, turn.organization_name, turn.instructions, turn.unknown_reply, turn.now
    )
    messages = [
        {"role": "system", "content": prompt},
        *turn.history,
        {"role": "user", "content": turn.question},
    ]
    thought = loop.run(model, messages, toolbox)
    text, verdict = guard(thought.text, turn.unknown_reply, _link_sources(turn, messages))
    replies = registry.library(turn.channel_kind).split_text(text)
    return replies, thought, {"guard": verdict}


def _link_sources(turn: TurnContext, messages: list[dict]) -> str:
    found = [message["content"] for message in messages if message["role"] == "tool"]
    return "\n".join([turn.instructions, turn.unknown_reply, *found])
