"""The web chat's own server: sessions, posts, polls, streams and files, as docs/web_chat.md says.

It runs in `./chatmill serve`, and beside Windmill as `./chatmill web`. Nothing of it is a job: what
pages read must not be stored as results, and held connections must not hold workers.
"""

import re
import sys
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

import f.channels.accounts as accounts
import f.channels.inbox as inbox
import f.channels.web as web
import f.channels.web_identity as web_identity
import f.channels.web_origins as web_origins
import f.channels.web_posts as web_posts
import f.channels.web_sessions as web_sessions
from f.channels.accounts import Account
from f.channels.content import media_of
from f.channels.messages import Request as Webhook
from f.channels.messages import WebhookRefused
from f.channels.web_sessions import Session
from f.shared.db import connect
from f.shared.errors import ChatmillError, UpstreamError
from local.web_limits import Limits
from local.web_refusals import TooManyRequests, refusal_of
from local.web_streams import Watcher, stream
from local.web_teammates import Teammates
from local.web_uploads import kind_of, told_type
from runner.request_bodies import BodyLimits, BodyReader, BodyRefused, ClientGone

PREFIX = "/api/web/{channel}"
SESSION = PREFIX + "/sessions/{session}"
CONVERSATION = PREFIX + "/conversations/{conversation}"
Call = Callable[[Request, Account], Awaitable[Response]]
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "authorization, content-type, x-session-token, x-file-name,"
    " last-event-id",
    "Access-Control-Max-Age": "600",
}
# Pages of one visitor that a held connection is kept for.
MOST_WAITING = 20
# Of the channel's settings, what anybody may see.
SHOWN_SETTINGS = ("title", "greeting", "privacy_url", "accent", "language")


class WebApi:
    """`database`: the resource f/channels/ingress_database. `own_origins`: pages of this server.
    `proxies`: how many proxies of the operator's own stand in front of it."""

    def __init__(
        self,
        database: dict,
        sealing_key: str,
        own_origins: frozenset[str] = frozenset(),
        proxies: int = 0,
    ):
        self.database, self._sealing_key = database, sealing_key
        self.own_origins = own_origins
        self._limits = Limits(self._ask, sealing_key, proxies)
        self._bodies = BodyReader(BodyLimits(max_bytes=web_posts.BODY_LIMIT_BYTES))
        self._uploads = BodyReader(
            BodyLimits(web_posts.UPLOAD_LIMIT_BYTES, 8 * web_posts.UPLOAD_LIMIT_BYTES)
        )
        self._teammates = Teammates(self._ask, self._limits, self._body)
        self._watcher = Watcher(lambda ids: self._ask(web_sessions.states, ids))

    @property
    def routes(self) -> list[Route]:
        return [
            self._route(PREFIX, GET=self._facts),
            self._route(f"{PREFIX}/sessions", POST=self._start),
            self._route(SESSION, DELETE=self._forget),
            self._route(f"{SESSION}/messages", GET=self._poll, POST=self._post),
            self._route(f"{SESSION}/events", GET=self._stream),
            self._route(f"{SESSION}/uploads", POST=self._upload),
            self._route(f"{CONVERSATION}/messages", POST=self._teammates.write),
            self._route(f"{CONVERSATION}/mode", POST=self._teammates.set_mode),
        ]

    def _route(self, path: str, **calls: Call) -> Route:
        async def answer(request: Request) -> Response:
            headers: dict[str, str] = {"Cache-Control": "no-store"}
            try:
                account = await run_in_threadpool(self._account, request)
                headers |= self._sharing(request, account)
                if request.method == "OPTIONS":
                    return Response(status_code=204, headers=headers | PREFLIGHT)
                response = await calls[request.method.replace("HEAD", "GET")](request, account)
            except (ChatmillError, BodyRefused, ClientGone) as error:
                response = refusal_of(error)
            response.headers.update(headers)
            return response

        return Route(path, answer, methods=[*calls, "OPTIONS"])

    async def _facts(self, request: Request, account: Account) -> Response:
        def read() -> dict:
            self._limits.look(request, account)
            return {"chatbot": {"name": self._ask(web_sessions.chatbot_name, account.channel_id)}}

        shown = account.settings
        return JSONResponse(
            {name: shown[name] for name in SHOWN_SETTINGS if name in shown}
            | {"may_be_embedded": bool(account.settings.get("origins"))}
            | await run_in_threadpool(read)
        )

    async def _start(self, request: Request, account: Account) -> Response:
        started = web_posts.read_start(await self._body(request))

        def start() -> Response:
            self._limits.start(request, account)
            secret = account.credentials.get("identity_secret")
            url_key = request.path_params["channel"]
            person = web_identity.prove(started.identity, secret, url_key)
            opened = self._ask(web_sessions.start, account.channel_id, person, started.language)
            name = self._ask(web_sessions.chatbot_name, account.channel_id)
            participant = {"is_known": person is not None, "name": person and person.name}
            content = {
                "session_id": opened.session_id,
                "session_token": opened.token,
                "expires_at": opened.expires_at.isoformat(),
                "chatbot": {"name": name},
                "participant": participant,
            }
            return JSONResponse(content, 201)

        return await run_in_threadpool(start)

    async def _post(self, request: Request, account: Account) -> Response:
        body = await self._body(request)

        def accept() -> Response:
            session = self._session(request, account)
            self._limits.post(request, account, session)
            posted = web_posts.read_post(body)
            stored = web.delivered(session.contact_key, posted, self._media(session, posted))
            self._accept(account, session, stored)
            return JSONResponse(
                {"message_id": posted.client_message_id, "status": "processing"}, 202
            )

        return await run_in_threadpool(accept)

    def _accept(self, account: Account, session: Session, stored: bytes) -> None:
        """As a webhook's delivery: stored, then accepted; a crash in between loses nothing."""
        delivery_id = self._ask(inbox.receive, account, stored.decode(), session.conversation_id)
        deliveries = web.parse(Webhook(stored))
        wake = self._ask(inbox.accept, self._sealing_key, account, delivery_id, deliveries)
        try:
            inbox.start_flows(wake)
        except UpstreamError as error:
            # Stored and due: the sweep starts it, some seconds later.
            print(f"web chat: no flow was started: {error}", file=sys.stderr, flush=True)

    def _media(self, session: Session, posted: web_posts.Posted) -> dict | None:
        if posted.attachment_id is None:
            return None
        found = self._ask(web_sessions.find_upload, session, posted.attachment_id)
        return media_of(
            kind_of(found.media_type),
            provider_media_id=posted.attachment_id,
            media_type=found.media_type,
            sha256=found.sha256,
            file_name=found.file_name,
            size_bytes=found.size_bytes,
        )

    async def _poll(self, request: Request, account: Account) -> Response:
        wanted = web_posts.read_wanted(dict(request.query_params))
        session = await run_in_threadpool(self._reading, request, account)
        found = await run_in_threadpool(self._read, session, wanted)
        if wanted.wait_seconds and not found["messages"]:
            await self._watcher.line_after(
                session.conversation_id, wanted.since, wanted.wait_seconds
            )
            found = await run_in_threadpool(self._read, session, wanted)
        return JSONResponse(found)

    def _read(self, session: Session, wanted: web_posts.Wanted) -> dict:
        lines = self._ask(web_sessions.lines, session, wanted.since, wanted.limit + 1)
        state = self._ask(web_sessions.states, [session.conversation_id]).get(
            session.conversation_id
        )
        return {
            "messages": lines[: wanted.limit],
            "has_more": len(lines) > wanted.limit,
            "session_status": state.mode if state else "deleted",
            "is_typing": bool(state and state.is_typing),
        }

    async def _stream(self, request: Request, account: Account) -> Response:
        since = request.headers.get("last-event-id") or request.query_params.get("since") or "0"
        wanted = web_posts.read_wanted({"since": since})
        session = await run_in_threadpool(self._reading, request, account)

        def read(after: int) -> list[dict]:
            return self._ask(web_sessions.lines, session, after, web_posts.MOST_LINES)

        events = stream(self._watcher, session.conversation_id, wanted.since, read)
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    async def _upload(self, request: Request, account: Account) -> Response:
        session = await run_in_threadpool(self._uploading, request, account)
        content = await self._uploads.read(request.receive, request.headers)
        name = web_posts.file_name(request.headers.get("x-file-name", ""))

        def store() -> Response:
            media_type = told_type(name, content)
            found = self._ask(web_sessions.store_upload, session, name, media_type, content)
            return JSONResponse(
                {"attachment_id": found, "file_name": name, "media_type": media_type}, 201
            )

        return await run_in_threadpool(store)

    async def _forget(self, request: Request, account: Account) -> Response:
        session = await run_in_threadpool(self._session, request, account)
        await run_in_threadpool(self._ask, web_sessions.forget, session)
        return Response(status_code=204)

    def _account(self, request: Request) -> Account:
        find = accounts.by_url_key
        account = self._ask(find, self._sealing_key, request.path_params["channel"])
        if account is None or account.kind != "web":
            raise WebhookRefused(404, "channel_unknown", "No web chat has this address.")
        return account

    def _sharing(self, request: Request, account: Account) -> dict[str, str]:
        """Browsers say which website asks; what is no browser says what it likes, and has no
        token of anybody."""
        origin = request.headers.get("origin")
        if origin is None:
            return {}
        patterns = account.settings.get("origins", [])
        if not self._is_own_page(request, origin) and not web_origins.is_allowed(origin, patterns):
            raise WebhookRefused(403, "origin_refused", "This website may not embed the chat.")
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": "Retry-After",
            "Vary": "Origin",
        }

    def _is_own_page(self, request: Request, origin: str) -> bool:
        """Of this server, if it has any. On the network it is known by its number: a name may be
        a stranger's, who made it lead here."""
        host = request.headers.get("host", "")
        is_numbered = re.fullmatch(r"(?:[0-9.]+|\[[0-9a-f:]+\])(?::[0-9]+)?", host) is not None
        is_named_so = is_numbered and origin == f"http://{host}"
        return bool(self.own_origins) and (origin in self.own_origins or is_named_so)

    def _session(self, request: Request, account: Account) -> Session:
        session_id = web_posts.session_id(request.path_params["session"])
        token = request.headers.get("x-session-token", "")
        try:
            return self._ask(web_sessions.find, account.channel_id, session_id, token)
        except WebhookRefused:
            self._limits.look(request, account)  # trying tokens has its rate as well
            raise

    def _reading(self, request: Request, account: Account) -> Session:
        session = self._session(request, account)
        self._limits.read(account, session)
        if self._watcher.waiting(session.conversation_id) >= MOST_WAITING:
            raise TooManyRequests(10)
        return session

    def _uploading(self, request: Request, account: Account) -> Session:
        session = self._session(request, account)
        self._limits.upload(request, account, session)
        return session

    async def _body(self, request: Request) -> bytes:
        try:
            return await self._bodies.read(request.receive, request.headers)
        except BodyRefused as refusal:
            if refusal.status != 413:
                raise
            sentence = "A message may have 64 KB at most."
            raise WebhookRefused(413, "body_too_large", sentence) from refusal

    def _ask(self, question: Callable, *arguments):
        """One short transaction."""
        with connect(self.database) as conn:
            return question(conn, *arguments)
