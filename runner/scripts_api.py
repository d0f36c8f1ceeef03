"""The part of Windmill's REST API that scripts call while they run: variables, resources, jobs."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner import strict_json
from runner.authentication import Refused, require_bearer_token
from runner.engine import Engine, NotFound
from runner.request_bodies import BodyReader, BodyRefused, ClientGone
from runner.special_results import json_response, text_response
from runner.strict_json import InvalidJson

VERSION = "CE v1.788.0"
Handler = Callable[[Request], Awaitable[Response]]


def routes(engine: Engine, bodies: BodyReader) -> list[Route]:
    api = ScriptsApi(engine, bodies)
    prefix = f"/api/w/{engine.workspace_id}"
    return [
        Route("/api/version", version),
        Route(f"{prefix}/variables/get_value/{{path:path}}", api.guarded(api.variable)),
        Route(
            f"{prefix}/resources/get_value_interpolated/{{path:path}}", api.guarded(api.resource)
        ),
        Route(f"{prefix}/jobs/run/f/{{path:path}}", api.guarded(api.run), methods=["POST"]),
        Route(f"{prefix}/jobs/run/p/{{path:path}}", api.guarded(api.run), methods=["POST"]),
        Route(f"{prefix}/jobs/run/h/{{hash}}", api.guarded(api.run_version), methods=["POST"]),
        Route(f"{prefix}/jobs_u/completed/get_result_maybe/{{id}}", api.guarded(api.result)),
        Route(f"{prefix}/jobs_u/queue/cancel/{{id}}", api.guarded(api.cancel), methods=["POST"]),
    ]


async def version(request: Request) -> Response:
    return text_response(200, VERSION)


class ScriptsApi:
    """The handlers are quick and run on the event loop: a step that calls waits for no thread."""

    def __init__(self, engine: Engine, bodies: BodyReader):
        self._engine = engine
        self._bodies = bodies

    def guarded(self, handler: Handler) -> Handler:
        async def guard(request: Request) -> Response:
            try:
                require_bearer_token(request.headers, self._engine.token)
                return await handler(request)
            except Refused as refused:
                return text_response(refused.status, refused.text)
            except NotFound as error:
                return text_response(404, f"Not found: {error}")
            except InvalidJson as error:
                return text_response(400, f"Bad request: invalid json: {error}")
            except BodyRefused as refusal:
                return text_response(refusal.status, refusal.sentence)
            except ClientGone:
                return Response()

        return guard

    async def variable(self, request: Request) -> Response:
        return json_response(200, self._engine.variable(request.path_params["path"]))

    async def resource(self, request: Request) -> Response:
        return json_response(200, self._engine.resource(request.path_params["path"]))

    async def run(self, request: Request) -> Response:
        path = request.path_params["path"]
        wait_seconds = _wait_seconds(request.query_params.get("scheduled_in_secs", "0"))
        body = await self._bodies.read(request.receive, request.headers)
        args = strict_json.parse(body) if body.strip() else {}
        if not isinstance(args, dict):
            raise InvalidJson("expected an object of arguments")
        event = None
        if self._engine.has_preprocessor(path) and "skip_preprocessor" not in request.query_params:
            event = _webhook_event(request, args)
        return text_response(201, self._engine.submit(path, args, wait_seconds, event))

    async def run_version(self, request: Request) -> Response:
        request.path_params["path"] = self._engine.path_of_version(request.path_params["hash"])
        return await self.run(request)

    async def result(self, request: Request) -> Response:
        job = self._engine.job(request.path_params["id"])
        if job is None:
            raise NotFound(f"job {request.path_params['id']}")
        outcome = job.outcome
        return json_response(
            200,
            {
                "started": job.status != "queued",
                "completed": outcome is not None,
                "success": outcome.success if outcome else None,
                "result": outcome.result if outcome else None,
            },
        )

    async def cancel(self, request: Request) -> Response:
        job_id = request.path_params["id"]
        body = await self._bodies.read(request.receive, request.headers)
        details = strict_json.parse(body) if body.strip() else {}
        reason = details.get("reason") if isinstance(details, dict) else None
        if not self._engine.cancel(job_id, str(reason or "")):
            raise NotFound(f"queued or running job {job_id}")
        return text_response(200, job_id)


def _wait_seconds(text: str) -> float:
    if not text.isdecimal():
        raise InvalidJson("scheduled_in_secs must be a whole number of seconds")
    return float(text)


def _webhook_event(request: Request, body: dict) -> dict:
    query = request.scope["query_string"].decode("latin-1")
    return {
        "kind": "webhook",
        "body": body,
        "raw_string": None,
        "query": dict(parse_qsl(query, keep_blank_values=True)),
        "headers": dict(request.headers),
    }
