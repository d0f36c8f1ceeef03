"""Who said yes to what: a tool that changes something outside is called for nobody else's reason.

The question is written by us, with the exact arguments, so that a contact's yes can't be a yes to
something that a model made up; and it is good for the contact's very next message only.
"""

import json
import re

from f.agent.approved_tool import ApprovedTool
from f.agent.effects import sha256_of
from f.agent.hand_off_tool import ask_teammate
from f.agent.links import addresses_in, has_markup, links_in
from f.agent.plain_text import unmasked, visible
from f.agent.tool_context import ToolContext
from f.shared.errors import ToolFailed, ToolRetry

MAX_SHOWN_CHARACTERS = 200
YES = re.compile(
    r"""\W*(?:yes|yep|yeah|sure|ok(?:ay)?|confirm(?:ed)?|go\ ahead|do\ it|please\ do|correct
        |sim|s[ií]|claro|confirmo|pode\ ser|est[aá]\ bem|vale|de\ acuerdo|adelante
        |ja|jawohl|gerne|einverstanden|in\ ordnung|best[aä]tige|mach\ das
        |oui|d'accord|je\ confirme|allez-y|s[iì]|va\ bene|confermo|akkoord|doe\ maar)
        (?:\W+(?:yes|please|thanks|thank\ you|do\ it|go\ ahead|por\ favor|obrigad[oa]|gracias
        |bitte|danke|merci|s'il\ vous\ pla[iî]t|that's\ right|correct))*\W*""",
    re.I | re.X,
)

# Asked by the turn before this one, in words that reached the contact, within the hour; or by any
# turn, and a teammate approved it within a day. One that this very call used is its own; one to the
# tool as it was before its last approval is none.
FIND = """
select confirmation.turn_id::text
  from tool_confirmations as confirmation join tools on tools.id = confirmation.tool_id
 where confirmation.conversation_id = %(conversation_id)s
   and confirmation.tool_id = %(tool_id)s
   and confirmation.arguments_sha256 = %(arguments_sha256)s
   and (
     (used_turn_id = %(turn_id)s and used_position = %(position)s)
     or (confirmation.needs = 'contact' and confirmation.asked_at >= tools.approved_at
       and %(is_yes)s and confirmation.state = 'asked'
       -- The words that a code of f/agent/sign_ins.py brings back are older than the question.
       and not exists (select from sign_ins where confirmed_turn_id = %(turn_id)s)
       and confirmation.asked_at > now() - interval '1 hour'
       and confirmation.turn_id = (
         select id from turns
          where conversation_id = %(conversation_id)s and id <> %(turn_id)s
          order by created_at desc limit 1)
       -- Nor did they write to a teammate since, or this before they were asked.
       and not exists (
         select from inbound_messages
          where conversation_id = %(conversation_id)s
            and (turn_id is distinct from %(turn_id)s) = (received_at > confirmation.asked_at))
       and exists (
         select from outbound_messages
          where outbound_messages.turn_id = confirmation.turn_id
            and state in ('sent', 'delivered', 'read')))
     or (confirmation.needs = 'teammate' and confirmation.asked_at >= tools.approved_at
       and confirmation.state = 'confirmed'
       and confirmation.confirmed_at > now() - interval '1 day')
   )
 limit 1
"""
USE = """
update tool_confirmations
   set state = 'used', used_turn_id = %(turn_id)s, used_position = %(position)s
 where turn_id = %(asked_turn_id)s
"""
# A turn that is taken up again asks the same again, and nothing else.
ASK = """
insert into tool_confirmations as asked (
  turn_id, organization_id, conversation_id, tool_id, needs, arguments, arguments_sha256
)
select id, organization_id, conversation_id, %(tool_id)s, %(needs)s, %(arguments)s,
       %(arguments_sha256)s
  from turns where id = %(turn_id)s
    on conflict on constraint tool_confirmations_pkey do update set needs = asked.needs
 where asked.tool_id = excluded.tool_id and asked.arguments_sha256 = excluded.arguments_sha256
returning turn_id
"""


class Confirmations:
    """Of one turn. `question`: what the contact is asked instead of a reply; empty: nothing."""

    def __init__(self, context: ToolContext, confirm_question: str):
        self._context = context
        self._confirm_question = confirm_question
        self.question = ""
        self.needs_teammate = False

    def __bool__(self) -> bool:
        return bool(self.question) or self.needs_teammate

    def check(self, tool: ApprovedTool, arguments: dict, position: int) -> None:
        """Raises ToolFailed when the call has to wait for a yes."""
        if self:
            raise ToolFailed("one question at a time: the first call waits for an answer")
        values = {
            "conversation_id": self._context.conversation_id,
            "turn_id": self._context.turn_id,
            "tool_id": tool.tool_id,
            "needs": "teammate" if tool.class_ == "money" else "contact",
            "arguments": json.dumps(arguments),
            "arguments_sha256": sha256_of(arguments),
            "is_yes": bool(YES.fullmatch(unmasked(self._context.question))),
            "position": position,
        }
        question = self._question_for(tool, arguments)
        with self._context.open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(FIND, values)
            found = cursor.fetchone()
            if found:
                cursor.execute(USE, {**values, "asked_turn_id": found[0]})
                return
            cursor.execute(ASK, values)
            if not cursor.fetchone():
                raise ToolFailed("this turn has asked already")
            if tool.class_ == "money":
                ask_teammate(cursor, self._context.turn_id, "needs_approval")
        self.question, self.needs_teammate = question, tool.class_ == "money"
        who = "a colleague" if self.needs_teammate else "the customer"
        raise ToolFailed(f"not done yet: {who} is asked for a yes. Do not say that it was done")

    def _question_for(self, tool: ApprovedTool, arguments: dict) -> str:
        lines = [f"{name}: {_shown(value)}" for name, value in sorted(arguments.items())]
        # What is shown to the contact must not carry what a reply may not.
        shown = "\n".join(lines)
        if links_in(shown) or has_markup(shown):
            raise ToolRetry("an argument holds a link")
        if addresses_in(shown) - addresses_in(self._context.question):
            raise ToolRetry("an argument holds an address that the customer did not write")
        return self._confirm_question.replace("{action}", "\n".join([tool.title, *lines]))


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(visible(text).split())
    if len(text) > MAX_SHOWN_CHARACTERS:
        raise ToolRetry(f"an argument is longer than {MAX_SHOWN_CHARACTERS} characters")
    return text
