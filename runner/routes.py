"""Answer requests to HTTP triggers: find the trigger, let in who may pass, run the job, reply."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runner.authentication import (
    AuthenticationMisconfigured,
    Credentials,
    Refused,
    authenticate,
)
from runner.engine import Engine, NotFound
from runner.http_triggers import HttpTrigger, RouteTable, trigger_from
from runner.jobs import Outcome
from runner.request_bodies import BodyReader, BodyRefused, ClientGone
from runner.special_results import BadResult, json_response, response_of, text_response
from runner.strict_json import InvalidJson
from runner.trigger_arguments import TriggerRequest, UnsupportedBody, arguments_of, event_of

PREFIX = "/api/r"
# A sync request holds a thread while its job runs; more of them than this wait their turn.
THREADS = 64
LONGEST_REPLY_SECONDS = 600
STOP_CHECK_SECONDS = 1.0
PLAIN_UTF8 = "text/plain; charset=utf-8"


class NoReply(Exception):
    """The job took too long or the server stops; the job itself may go on."""


REFUSALS: dict[type[Exception], tuple[int, str]] = {
    InvalidJson: (400, "Bad request: invalid json: {}"),
    UnsupportedBody: (415, "Unsupported media type: {}"),
    AuthenticationMisconfigured: (500, "This trigger lets nobody in: {}"),
    NotFound: (500, "This trigger cannot run: {}"),
    BadResult: (500, "Bad result: {}"),
    NoReply: (503, "The job has not replied yet; it may still be running."),
}


class TriggerRoutes:
    """The ASGI application under /api/r."""

    def __init__(self, engine: Engine, bodies: BodyReader):
        triggers = [
            trigger_from(each.path, each.metadata)
            for each in engine.workspace.http_triggers
            if each.metadata.get("mode", "enabled") == "enabled"
        ]
        self._engine = engine
        self._bodies = bodies
        self._table = RouteTable(triggers, engine.workspace_id)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="http-trigger")
        self._stopping = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await self._bodies.read(receive, request.headers)
            response = await self._in_thread(request, body)
        except BodyRefused as refusal:
            response = text_response(refusal.status, refusal.sentence)
        except ClientGone:
            return
        except asyncio.CancelledError:
            # uvicorn cancels what has not ended when it stops; whoever waits deserves an answer.
            response = text_response(503, "The server is stopping.")
        await response(scope, receive, send)

    def stop_waiting(self) -> None:
        """Requests whose jobs go on are answered 503 within a second; jobs that end answer them."""
        self._stopping.set()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, request: Request, body: bytes) -> Response:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._answer, request, body)

    def _answer(self, request: Request, body: bytes) -> Response:
        path = request.scope["path"].removeprefix(PREFIX)
        match = self._table.find(request.method, path)
        if match is None:
            path = path.rstrip("/")
            return text_response(404, f"Not found: Trigger not found at name {path}")
        query = request.scope["query_string"].decode("latin-1")
        arrived = TriggerRequest(match, request.method, path, query, request.headers, body)
        try:
            self._authenticate(match.trigger, arrived)
            return self._reply(match.trigger, self._submit(match.trigger, arrived))
        except Refused as refused:
            return refusal_response(refused)
        except tuple(REFUSALS) as error:
            status, sentence = REFUSALS[type(error)]
            return text_response(status, sentence.format(error))

    def _authenticate(self, trigger: HttpTrigger, request: TriggerRequest) -> None:
        resource_path = trigger.authentication_resource_path
        resource = self._engine.resource(resource_path) if resource_path else None
        shown = Credentials(request.headers, request.body, resource, self._engine.token)
        authenticate(trigger.authentication_method, shown)

    def _submit(self, trigger: HttpTrigger, request: TriggerRequest) -> str:
        if self._engine.has_preprocessor(trigger.script_path):
            return self._engine.submit(trigger.script_path, {}, event=event_of(request))
        return self._engine.submit(trigger.script_path, arguments_of(request))

    def _reply(self, trigger: HttpTrigger, job_id: str) -> Response:
        if trigger.is_async:
            return text_response(201, job_id, PLAIN_UTF8)
        outcome = self._wait_reply(job_id)
        return response_of(outcome.success, outcome.result)

    def _wait_reply(self, job_id: str) -> Outcome:
        for _ in range(int(LONGEST_REPLY_SECONDS / STOP_CHECK_SECONDS)):
            if self._stopping.is_set():
                break
            try:
                return self._engine.wait_reply(job_id, STOP_CHECK_SECONDS)
            except TimeoutError:
                continue
        raise NoReply


def refusal_response(refused: Refused) -> Response:
    if refused.error:
        return json_response(refused.status, {"error": refused.error})
    return text_response(refused.status, refused.text, PLAIN_UTF8)
