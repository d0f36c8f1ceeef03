"""One draft of an answer: what the model was told, what it did, what the contact will read."""

import importlib
from dataclasses import asdict, dataclass

import f.agent.loop as loop
import f.chat.conversation_memory as conversation_memory
from f.agent.context import Summary, messages_of, new_summary, prompt_text
from f.agent.effects import Effects
from f.agent.hand_off_tool import ask_teammate
from f.agent.reply import Judge, Reply, before_thinking
from f.agent.route import Route, is_unanswered
from f.agent.toolbox import Toolbox
from f.chat.turn_context import TurnContext
from f.shared.deadline import Deadline

CACHED = "cached"
CITE = """
insert into turn_citations (
  turn_id, number, organization_id, chunk_id, title, heading_path, score, how
)
select id, %(number)s, organization_id, %(chunk_id)s, %(title)s, %(heading_path)s, %(score)s,
       %(how)s
  from turns where id = %(turn_id)s
    on conflict on constraint turn_citations_pkey do nothing
"""


@dataclass(frozen=True)
class Draft:
    """`prompt`: everything that the model was given at first; empty: it was not asked."""

    thought: loop.Answer
    reply: Reply
    prompt: str = ""
    summary: Summary | None = None

    @property
    def receipt(self) -> dict:
        return {
            "guard": self.reply.verdict,
            "route": asdict(self.reply.route),
            "stuck": self.thought.stuck,
            "is_unanswered": is_unanswered(
                self.reply.route, self.reply.verdict, self.thought.tool_calls
            ),
        }


def think(
    turn: TurnContext, model, toolbox: Toolbox, effects: Effects, deadline: Deadline
) -> Draft:
    if not turn.question:
        nothing = Reply("", "nothing_asked", Route("auto", 1.0, "nothing_asked"))
        return Draft(loop.Answer(), nothing)
    known = before_thinking(turn.question, turn.own_words)
    if known:
        return Draft(loop.Answer(), known)
    if turn.cached.answer and not effects:
        route = Route("auto", 1.0, CACHED)
        again = Reply(turn.cached.answer, "ok", route, citations=list(turn.cached.citations))
        return Draft(loop.Answer(), again)
    summary = new_summary(model, turn.known)
    messages = messages_of(turn.system_prompt, turn.known, summary, turn.question)
    if turn.attached.pictures:
        messages[-1]["pictures"] = list(turn.attached.pictures)
    prompt = prompt_text(messages, toolbox.schemas)
    thought = loop.run(model, messages, toolbox, deadline)
    judge = Judge(model, toolbox, effects, deadline, turn.own_words)
    return Draft(thought, judge.reply(thought, messages, turn.rules), prompt, summary)


def keep(conn, turn: TurnContext, sealing_key: str, draft: Draft) -> None:
    """In the transaction that commits the reply."""
    turn_id = turn.turn_id
    with conn.cursor() as cursor:
        _keep_answer(cursor, turn, draft)
        if draft.reply.handoff:
            ask_teammate(cursor, turn_id, draft.reply.handoff)
        if draft.summary:
            conversation_memory.keep_summary(cursor, turn_id, draft.summary)
        for citation in draft.reply.citations:
            cursor.execute(CITE, {**citation, "turn_id": turn_id})
        if draft.prompt:
            conversation_memory.keep_prompt(cursor, turn_id, sealing_key, draft.prompt)


def _keep_answer(cursor, turn: TurnContext, draft: Draft) -> None:
    reply, cached = draft.reply, turn.cached
    if not cached.fingerprint:
        return
    answer_cache = importlib.import_module("f.agent.answer_cache")
    if reply.route.reason == CACHED:
        answer_cache.count_hit(cursor, turn.chatbot_id, cached)
    elif reply.route.reason == "answered" and answer_cache.is_common(
        draft.thought.tool_calls, reply.citations
    ):
        place = (turn.organization_id, turn.chatbot_id)
        answer_cache.keep(cursor, *place, cached, reply.text, reply.citations)
