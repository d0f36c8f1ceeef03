"""What the agent needs to answer a turn: who speaks for whom, what was said, what was asked."""

import importlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import f.chat.attachments as attachments
import f.chat.conversation_memory as conversation_memory
import f.chat.turns as turns
from f.agent.contact_files import told
from f.agent.context import Known
from f.agent.guards import Rules
from f.agent.prompts import canary_of, our_rules, system_prompt
from f.agent.reply import Cached, OwnWords
from f.agent.tool_context import ToolContext
from f.channels.content import named
from f.chat.attachments import Attached
from f.shared.resources import c_model

# What a model is given of one turn's question: a paste is paid again in every round.
QUESTION_CHARACTERS = 8000
QUOTED_CHARACTERS = 300


@dataclass(frozen=True)
class TurnContext:
    turn_id: str
    organization_id: str
    conversation_id: str
    contact_id: str
    contact_key: str
    chatbot_id: str
    organization_name: str
    state: str
    draft: int
    economy_model: str | None  # where the plan is nearly used up, and the chatbot has one
    chatbot_name: str
    channel_kind: str
    channel_settings: dict
    language: str | None
    instructions: str
    unknown_reply: str
    handoff_reply: str
    failure_notice: str
    confirm_question: str
    sign_in_request: str
    business_hours: dict
    policy: str | None
    least_confidence: float
    spam_confidence: float
    allowed_link_hosts: list[str]
    forbidden_words: list[str]
    languages: list[str]
    source_tags: list[str]
    max_reply_tokens: int
    now: datetime
    known: Known
    question: str
    commands: list[tuple[str, str]]  # (name, what was written)
    has_unread_files: bool = False
    attached: Attached = Attached()
    cached: Cached = Cached()
    has_tools: bool = False  # approved by the organization
    seconds_left: float | None = None  # to think, where the models failed before

    @property
    def own_words(self) -> OwnWords:
        return OwnWords(
            self.unknown_reply,
            self.handoff_reply,
            self.failure_notice,
            self.policy,
            float(self.least_confidence),
            float(self.spam_confidence),
        )

    @property
    def owners_words(self) -> list:
        return [
            self.organization_name,
            self.chatbot_name,
            self.channel_kind,
            self.instructions,
            self.unknown_reply,
            self.policy,
            self.allowed_link_hosts,
            self.forbidden_words,
            self.languages,
        ]

    @property
    def rules(self) -> Rules:
        return Rules(
            known_text=f"{self.instructions}\n{self.unknown_reply}\n{self.handoff_reply}",
            own_text="\n".join([self.question, *(one.text for one in self._said)]),
            allowed_hosts=tuple(self.allowed_link_hosts),
            forbidden_words=tuple(self.forbidden_words),
            secret_text=our_rules(),
            canary=canary_of(self.turn_id),
            languages=tuple(self.languages),
            question=self.question,
        )

    @property
    def _said(self) -> list:
        return [*self.known.lines, *self.attached.files]

    @property
    def system_prompt(self) -> str:
        return system_prompt(
            self.chatbot_name,
            self.organization_name,
            self.instructions,
            self.unknown_reply,
            self.now,
            self.business_hours,
            canary_of(self.turn_id),
        )

    def for_tools(
        self, open_transaction, open_any, model: c_model, sealing_key: str
    ) -> ToolContext:
        return ToolContext(
            open_transaction=open_transaction,
            open_any=open_any,
            model=model,
            organization_id=self.organization_id,
            chatbot_id=self.chatbot_id,
            conversation_id=self.conversation_id,
            contact_id=self.contact_id,
            contact_key=self.contact_key,
            turn_id=self.turn_id,
            now=self.now,
            business_hours=self.business_hours,
            question=self.question,
            sign_in_request=self.sign_in_request,
            sealing_key=sealing_key,
            source_tags=self.source_tags,
            files=self.attached.files,
        )


# In the order of the fields from `instructions` to `max_reply_tokens`.
CHATBOT_COLUMNS = """
       chatbots.instructions, chatbots.unknown_reply, chatbots.handoff_reply,
       chatbots.failure_notice, chatbots.confirm_question, chatbots.sign_in_request,
       chatbots.business_hours, chatbots.policy, chatbots.least_confidence,
       chatbots.spam_confidence, chatbots.allowed_link_hosts, chatbots.forbidden_words,
       chatbots.languages, chatbots.source_tags, chatbots.max_reply_tokens
"""
LOAD_TURN = f"""
select turns.id::text, turns.organization_id::text, turns.conversation_id::text,
       conversations.contact_id::text, contacts.contact_key, chatbots.id::text,
       organizations.name, turns.state, turns.drafts_dropped,
       {turns.ECONOMY_MODEL},
       chatbots.name, channels.kind, channels.settings, contacts.language,
       {CHATBOT_COLUMNS}, chatbots.caches_answers,
       organizations.time_zone, turns.told_at, has_unread_files(turns.id), exists (
         select from tools where tools.chatbot_id = chatbots.id and tools.state = 'approved'),
       extract(epoch from turns.think_until - now())::float8
{turns.OF_TURN}
"""

READ_QUESTION = """
select body, command, media, exists (
         select from attachments where inbound_message_id = asked.id and refusal is not null
       ), referral, coalesce(
         (select body from outbound_messages as quoted
           where quoted.provider_message_id = asked.reply_to
             and quoted.conversation_id = asked.conversation_id limit 1),
         (select body from inbound_messages as quoted
           where quoted.provider_message_id = asked.reply_to
             and quoted.channel_id = asked.channel_id),
         (select body from messages as quoted
           where quoted.provider_message_id = asked.reply_to
             and quoted.conversation_id = asked.conversation_id)
       )
  from inbound_messages as asked
 where turn_id = %(turn_id)s and state <> 'revoked' order by sent_at, id
"""
# What codes of f/agent/sign_ins.py look like, however they are typed.
SIGN_IN_CODE = re.compile(r"\s*([A-Z2-9]{5})[\s-]*([A-Z2-9]{5})\s*", re.I)


def load(conn, turn_id: str, fence: int) -> TurnContext:
    """Counts the attempt and renews the lease, so that the model is not paid by who lost the turn.

    Raises StaleTurn.
    """
    turns.begin_attempt(conn, turn_id, fence)
    with conn.cursor() as cursor:
        cursor.execute(LOAD_TURN, {"turn_id": turn_id})
        *columns, caches_answers, time_zone, told_at, has_files, has_tools, seconds_left = (
            cursor.fetchone()
        )
        question, commands = _read_question(cursor, turn_id)
        question = _with_first_question(cursor, turn_id, columns[3], question)
        known = conversation_memory.read(cursor, turn_id, columns[2], contact_id=columns[3])
        is_afresh = "clear" in dict(commands)
        if is_afresh:
            known = Known([], "", {}, known.notes)  # what is asked beside it is asked afresh
        attached = attachments.of_turn(cursor, turn_id, columns[2], only_own=is_afresh)
        known = replace(known, files=told(attached.files))
        now = told_at.astimezone(ZoneInfo(time_zone))
        turn = TurnContext(*columns, now, known, question, commands, has_files, attached)
        turn = replace(turn, has_tools=has_tools, seconds_left=seconds_left)
        if not caches_answers or not question or attached:
            return turn
        answer_cache = importlib.import_module("f.agent.answer_cache")  # where an owner wants one
        cached = answer_cache.find(
            cursor,
            turn.organization_id,
            turn.chatbot_id,
            turn.owners_words,
            turn.source_tags,
            question,
            known,
        )
        return replace(turn, cached=cached)


def _read_question(cursor, turn_id: str) -> tuple[str, list[tuple[str, str]]]:
    cursor.execute(READ_QUESTION, {"turn_id": turn_id})
    rows = cursor.fetchall()
    commands = [(command, body) for body, command, *_ in rows if command]
    lines = [
        _with_origin(body, referral, quoted)
        for body, command, media, is_refused, referral, quoted in rows
        # A file that is said not to be read asks nothing by its mere being there.
        if not command and not (is_refused and body == named(media))
    ]
    return "\n".join(lines)[:QUESTION_CHARACTERS], commands


def _with_first_question(cursor, turn_id: str, contact_id: str, question: str) -> str:
    """Whoever signed in writes a code: in its place comes what they had asked before they had to.
    Repeated, it comes again."""
    lines = question.splitlines()
    for place, line in enumerate(lines):
        written = SIGN_IN_CODE.fullmatch(line)
        if not written:
            continue
        sign_ins = importlib.import_module("f.agent.sign_ins")  # for a code alone
        code = "".join(written.groups()).upper()
        asked_turn_id = sign_ins.confirm(cursor, turn_id, contact_id, code)
        if asked_turn_id:
            first, _ = _read_question(cursor, asked_turn_id)
            # Which may be a code too: of another server that the same question needed.
            lines[place] = _with_first_question(cursor, asked_turn_id, contact_id, first)
    return "\n".join(lines)


def _with_origin(body: str, referral: str | None, quoted: str | None) -> str:
    """What the contact points at, set off from their own words: it is data like them."""
    origins = [("In reply to", quoted), ("Came by (somebody else's words)", referral)]
    marked = [f"[{label}: {said[:QUOTED_CHARACTERS]!r}]" for label, said in origins if said]
    return "\n".join([*marked, body])
