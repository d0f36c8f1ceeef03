"""The tool that remembers what a contact said of themselves."""

import re
import unicodedata

from f.agent.links import links_in
from f.agent.tool_context import ToolContext
from f.shared.errors import ToolRetry

# What may be remembered, and its form. Nothing else: a memory that holds any text would hold
# instructions for every later turn.
WORD = r"[^\W\d_](?:[^\W\d_]|['’-])*"
WORDS = rf"{WORD}\.?(?: {WORD}\.?){{0,3}}"
FACTS = {
    "name": WORDS,
    "company": r"\w[\w.,&'’ -]{1,59}",
    "city": WORDS,
    "email": r"[\w.+-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63}){1,4}",
    "phone": r"\+?[0-9][0-9 ()/.-]{4,24}",
    "order_number": r"[A-Za-z0-9#/-]{2,30}",
    "language": r"[a-z]{2}",
}
MAX_WORDS = 4

# What was known before the turn is kept with it, however often the turn writes.
REMEMBER = """
insert into contact_facts as fact (contact_id, name, organization_id, value, turn_id)
select contacts.id, %(name)s, contacts.organization_id, %(value)s, %(turn_id)s
  from contacts where id = %(contact_id)s
    on conflict on constraint contact_facts_pkey do update
   set value = excluded.value, turn_id = excluded.turn_id, written_at = now(),
       value_before = case fact.turn_id when excluded.turn_id then fact.value_before
                                        else fact.value end,
       written_before = case fact.turn_id when excluded.turn_id then fact.written_before
                                          else fact.written_at end
"""


class RememberFactTool:
    name = "remember_fact"
    class_ = "own"
    description = (
        "Remember a fact that the customer has just told about themselves, in their own words, "
        "for later conversations."
    )
    parameters = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "enum": list(FACTS)},
            "value": {"type": "string", "minLength": 2, "maxLength": 120},
        },
        "required": ["name", "value"],
        "additionalProperties": False,
    }

    def __init__(self, context: ToolContext):
        self._context = context

    def apply(self, cursor, arguments: dict) -> tuple[str, dict]:
        name, value = arguments["name"], " ".join(arguments["value"].split())
        is_told = re.fullmatch(FACTS[name], value) and len(value.split()) <= MAX_WORDS
        if not is_told or links_in(value):
            raise ToolRetry(f"that is no {name}")
        if name != "language" and _plain(value) not in _plain(self._context.question):
            raise ToolRetry("the customer did not write that in this message")
        values = {
            "name": name,
            "value": value,
            "turn_id": self._context.turn_id,
            "contact_id": self._context.contact_id,
        }
        cursor.execute(REMEMBER, values)
        return "Remembered.", {"name": name}


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
