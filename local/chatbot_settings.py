"""What of a chatbot its versions hold."""

from f.chat.turn_context import CHATBOT_COLUMNS
from local.errors import CannotRun
from local.facts import rows
from local.installation import DEMO_ORGANIZATION
from local.migrations import connection_to

NAMES = [one.strip().removeprefix("chatbots.") for one in CHATBOT_COLUMNS.split(",")]
DEMO_CHATBOT = "select id::text from chatbots where organization_id = %(demo)s order by created_at"
SETTINGS = """
select settings from chatbot_versions where chatbot_id = %(chatbot_id)s and version = %(version)s
"""


def demo_chatbot(resource: dict) -> str:
    with connection_to(resource) as connection:
        found = rows(connection, DEMO_CHATBOT, {"demo": DEMO_ORGANIZATION})
    if not found:
        raise CannotRun("there is no demo organization: name a chatbot with --chatbot.")
    return found[0]["id"]


def settings_of(resource: dict, chatbot_id: str, version: int) -> dict:
    with connection_to(resource) as connection:
        found = rows(connection, SETTINGS, {"chatbot_id": chatbot_id, "version": version})
    if not found:
        raise CannotRun(f"the chatbot has no version {version}.")
    return found[0]["settings"]
