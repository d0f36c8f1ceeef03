# extra_requirements:
# mcp==2.3.0
# anyio==4.16.0
# httpx2==2.16.2
"""Think, call tools, and commit the reply."""

import importlib
from functools import partial
from types import ModuleType

import f.agent.loop as loop
import f.channels.registry as registry
import f.chat.lease as lease
import f.chat.outbox as outbox
import f.chat.turn_context as turn_context
import f.chat.turns as turns
import f.chat.typing_sign as typing_sign
from f.agent.breaker import Breaker
from f.agent.effects import Effects
from f.agent.model_chain import ModelChain
from f.agent.model_slot import in_order, slots_of
from f.agent.tool_kinds import tools_of
from f.agent.toolbox import Toolbox
from f.chat.model_calls import StoredModel
from f.chat.thinking import keep, think
from f.shared.db import connect
from f.shared.deadline import Deadline
from f.shared.resources import c_model, postgresql
from f.shared.windmill import get_variable


def main(db: postgresql, model: c_model, turn_id: str, fence: int) -> dict:
    deadline = Deadline(loop.MAX_SECONDS)
    sealing_key = get_variable("f/chat/sealing_key")
    with lease.kept(db, turn_id, fence):
        result = answer(db, model, sealing_key, turn_id, fence, deadline)
        while result["state"] == "draft_dropped":
            result = answer(db, model, sealing_key, turn_id, fence, deadline)
    if result["state"] == "files_waiting":
        _start_again(db, turn_id, fence, result["conversation_id"])
    return result


def _start_again(db: postgresql, turn_id: str, fence: int, conversation_id: str) -> None:
    """A file came while the agent thought: it is read in a flow of its own, then thought again."""
    with turns.transaction(db, turn_id, fence) as conn:
        wait_seconds = turns.postpone(conn, turn_id, fence, 0)
    turns.start_when_due(conversation_id, wait_seconds)


def answer(
    db: postgresql, model: c_model, sealing_key: str, turn_id: str, fence: int, deadline: Deadline
) -> dict:
    """One draft. No transaction is open while it thinks."""
    open_transaction = partial(turns.transaction, db, turn_id, fence)
    open_any = partial(connect, db)
    with open_transaction() as conn:
        turn = turn_context.load(conn, turn_id, fence)
        if turn.state != "thinking":
            return {"state": turn.state, "model_calls": 0}
        if turn.seconds_left is not None:
            deadline.shorten(turn.seconds_left)
        if turn.has_unread_files:
            return {"state": "files_waiting", "conversation_id": turn.conversation_id}
        account = outbox.account_of_turn(conn, sealing_key, turn_id)
        command_replies = contact_commands().replies(conn, turn) if turn.commands else []
        effects = Effects(conn, open_transaction, turn_id)
        slots = slots_of(conn, turn.chatbot_id, model, turn.economy_model, sealing_key)
        chain = ModelChain(
            in_order(slots, turn_id),
            turn.max_reply_tokens,
            deadline,
            Breaker(conn, open_transaction, turn_id),
            may_switch=lambda: not effects.has_acted(),
            on_refusal=partial(turns.alert_of_model, open_transaction, turn.organization_id),
            on_outage=partial(turns.limit_thinking, open_transaction, turn_id),
        )
        stored_model = StoredModel(
            conn, chain, open_any, turn_id, fence, turn.draft, turns.RESERVED_TOKENS
        )
        approved = approved_tools(conn, turn) if turn.has_tools else []
    context = turn.for_tools(open_transaction, open_any, model, sealing_key)
    confirmations = confirmations_of(context, turn) if approved else None
    toolbox = Toolbox(tools_of(context, approved), effects, confirmations)
    with typing_sign.shown(account):
        draft = think(turn, stored_model, toolbox, effects, deadline)
    library = registry.library(turn.channel_kind)
    said = [*command_replies, *turn.attached.notices, draft.reply.text]
    replies = [piece for text in said for piece in library.split_text(text)]
    # What was done or asked can't be thought again.
    may_drop = stored_model.has_room and not effects and not toolbox.asks_contact
    with open_transaction() as conn:
        calls = draft.thought.tool_calls
        state = turns.commit(conn, turn_id, fence, replies, draft.receipt, calls, may_drop)
        if state == "answered":
            keep(conn, turn, sealing_key, draft)
            if turn.commands:
                contact_commands().take_effect(conn, turn)
    return {
        "state": state,
        "drafts_dropped": turn.draft,
        "replies": len(replies),
        "model_calls": draft.thought.model_calls,
        "tool_calls": len(calls),
        "guard": draft.reply.verdict,
    }


def contact_commands() -> ModuleType:
    """Three modules that only a turn with a command needs."""
    return importlib.import_module("f.chat.contact_commands")


def approved_tools(conn, turn: turn_context.TurnContext) -> list:
    """Two modules that only a chatbot with tools of its organization needs."""
    return importlib.import_module("f.agent.approved_tool").approved_tools(conn, turn.chatbot_id)


def confirmations_of(context, turn: turn_context.TurnContext):
    library = importlib.import_module("f.agent.confirmations")
    return library.Confirmations(context, turn.confirm_question)
