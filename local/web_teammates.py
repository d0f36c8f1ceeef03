"""What an organization's own server may do in its web chat: write as a teammate, take over, give
back. Its token is signed with the channel's secret (docs/web_chat.md)."""

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import f.channels.web_identity as web_identity
import f.channels.web_posts as web_posts
import f.channels.web_sessions as web_sessions
from f.channels.accounts import Account
from f.channels.messages import WebhookRefused
from local.web_limits import Limits


class Teammates:
    """`ask(question, *arguments)`: one short transaction."""

    def __init__(
        self, ask: Callable, limits: Limits, read_body: Callable[[Request], Awaitable[bytes]]
    ):
        self._ask, self._limits, self._read_body = ask, limits, read_body

    async def write(self, request: Request, account: Account) -> Response:
        body = await self._read_body(request)

        def accept() -> Response:
            conversation_id = self._proved(request, account)
            posted = web_posts.read_post(body)
            if posted.attachment_id:
                raise WebhookRefused(400, "attachment_unknown", "Teammates write words only.")
            self._ask(
                web_sessions.write_as_teammate,
                *(account.channel_id, conversation_id, posted.client_message_id, posted.text),
            )
            return JSONResponse({"message_id": posted.client_message_id, "status": "sent"}, 201)

        return await run_in_threadpool(accept)

    async def set_mode(self, request: Request, account: Account) -> Response:
        body = await self._read_body(request)

        def accept() -> Response:
            conversation_id = self._proved(request, account)
            wanted = (account.channel_id, conversation_id, web_posts.read_mode(body))
            return JSONResponse({"session_status": self._ask(web_sessions.set_mode, *wanted)})

        return await run_in_threadpool(accept)

    def _proved(self, request: Request, account: Account) -> str:
        """The conversation's id. Trying tokens has its rate as well."""
        self._limits.look(request, account)
        secret, url_key = account.credentials.get("identity_secret"), request.path_params["channel"]
        shown = request.headers.get("authorization", "")
        web_identity.prove_teammate(shown, secret, url_key)
        return web_posts.conversation_id(request.path_params["conversation"])
