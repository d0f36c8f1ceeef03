"""GET .../messages of a web channel: what the page shows, read from the database.

Not a script under f/: a job's result is stored and shown by Windmill, and no customer's text may
be there. On Windmill the web channel needs a route beside it that does the same.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import f.channels.web as web
from f.channels.messages import WebhookRefused
from local.migrations import connection_to

MOST_MESSAGES = 200
READ_MESSAGES = """
select messages.id, messages.author, messages.body
  from messages
  join conversations on conversations.id = messages.conversation_id
  join contacts on contacts.id = conversations.contact_id
  join channels on channels.id = contacts.channel_id
 where channels.url_key = %(url_key)s and channels.kind = 'web'
   and contacts.contact_key = %(contact_key)s and messages.id > %(after)s
 order by messages.id limit %(most)s
"""


def messages_route(resource: dict) -> Route:
    def answer(request: Request) -> JSONResponse:
        """Not async: it waits for the database, on a thread of its own."""
        try:
            wanted = web.parse_query(dict(request.query_params))
        except WebhookRefused as refusal:
            error = {"code": refusal.code, "message": str(refusal)}
            return JSONResponse({"error": error}, refusal.status)
        url_key = request.path_params["channel"]
        return JSONResponse({"messages": read_messages(resource, url_key, wanted)})

    return Route("/api/r/chatmill/{channel}/messages", answer)


def read_messages(resource: dict, url_key: str, wanted: web.RepliesWanted) -> list[dict]:
    values = {
        "url_key": url_key,
        "contact_key": wanted.contact_key,
        "after": wanted.after,
        "most": MOST_MESSAGES,
    }
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(READ_MESSAGES, values)
        return [{"position": p, "author": a, "text": b} for p, a, b in cursor.fetchall()]
