"""The engine's API that steps call: resources, variables, and flows to start."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs, unquote

from bench.chaos.http_server import Reply, Request


class EngineApi:
    """`start(path, args, wait_seconds)` queues a job and answers its id."""

    def __init__(self, engine, start: Callable[[str, dict, float], str]):
        self._engine = engine
        self._start = start
        self._prefix = f"/api/w/{engine.workspace_id}/"

    def answer(self, request: Request) -> Reply:
        path, _, query = request.path.partition("?")
        route = unquote(path.removeprefix(self._prefix))
        if route.startswith("variables/get_value/"):
            name = route.removeprefix("variables/get_value/")
            return Reply(200, json.dumps(self._engine.variable(name)))
        if route.startswith("resources/get_value_interpolated/"):
            name = route.removeprefix("resources/get_value_interpolated/")
            return Reply(200, json.dumps(self._engine.resource(name)))
        if route.startswith("jobs/run/"):
            waits = parse_qs(query).get("scheduled_in_secs", ["0"])
            flow = route.removeprefix("jobs/run/").partition("/")[2]
            return Reply(201, self._start(flow, request.json(), float(waits[0])))
        return Reply(404, f"Not found: {route}")
