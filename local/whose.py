"""Whom a command is for: named by name or id, or the only one that there is."""

from local.errors import CannotRun

NAMED = "%(organization)s in ('', organizations.id::text, organizations.name)"
FIND_ORGANIZATION = f"select organizations.id::text from organizations where {NAMED}"
FIND_CHATBOT = f"""
select organizations.id::text, chatbots.id::text
  from organizations join chatbots on chatbots.organization_id = organizations.id
 where {NAMED} and %(chatbot)s in ('', chatbots.id::text, chatbots.name)
"""


def the_organization(connection, organization: str) -> str:
    """Its id. Raises CannotRun."""
    found = _found(connection, FIND_ORGANIZATION, {"organization": organization})
    if len(found) != 1:
        raise CannotRun(f"{len(found)} organizations are meant: give --organization.")
    return found[0][0]


def the_chatbot(connection, organization: str, chatbot: str) -> tuple[str, str]:
    """Its organization's id and its own. Raises CannotRun."""
    found = _found(connection, FIND_CHATBOT, {"organization": organization, "chatbot": chatbot})
    if len(found) != 1:
        raise CannotRun(f"{len(found)} chatbots are meant: give --organization and --chatbot.")
    return found[0]


def _found(connection, query: str, wanted: dict) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query, wanted)
        return cursor.fetchall()
