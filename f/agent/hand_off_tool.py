"""The tool that passes the conversation on to a teammate."""

from f.agent.tool_context import ToolContext

ASK_TEAMMATE = """
insert into handoffs (organization_id, conversation_id, turn_id, reason)
select organization_id, conversation_id, id, %(reason)s from turns where id = %(turn_id)s
    on conflict on constraint handoffs_are_asked_once do nothing
"""


class HandOffTool:
    name = "hand_off"
    class_ = "own"
    description = (
        "Pass this conversation on to a person of the organization. Use it when the customer asks "
        "for a person, or needs something that no tool can do. Say afterwards that you did."
    )
    parameters = {
        "type": "object",
        "properties": {
            "reason": {
                "type": "string",
                "enum": ["asked_by_contact", "beyond_my_tools", "complaint", "emergency"],
            }
        },
        "required": ["reason"],
        "additionalProperties": False,
    }

    def __init__(self, context: ToolContext):
        self._context = context

    def apply(self, cursor, arguments: dict) -> tuple[str, dict]:
        ask_teammate(cursor, self._context.turn_id, arguments["reason"])
        return "A person takes over after your answer. Tell the customer so.", arguments


def ask_teammate(cursor, turn_id: str, reason: str) -> None:
    """The chatbot falls silent after this turn's reply. `reason`: a word, no text of a contact."""
    cursor.execute(ASK_TEAMMATE, {"turn_id": turn_id, "reason": reason})
