"""Windmill's routes for scripts, over real HTTP, as little as the steps use."""

import json
import re

from werkzeug import Request, Response


class FakeWindmill:
    def __init__(self, httpserver, databases: dict[str, dict], sealing_key: str):
        self.scripts: list[tuple[str, dict]] = []  # versions that were run, with their arguments
        self.script_answer: dict | int = {"completed": True, "success": True, "result": "done"}
        self.started: list[tuple[str, dict, int]] = []
        self.resources = dict(databases)
        self.variables = {"f/chat/sealing_key": sealing_key}
        self.server = httpserver
        httpserver.expect_request(re.compile("/api/w/chatmill/.*")).respond_with_handler(
            self._answer
        )

    def _answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer token":
            return Response("Unauthorized", 401)
        route = request.path.removeprefix("/api/w/chatmill/")
        if route.startswith("jobs/run/f/"):
            wait_seconds = int(request.args.get("scheduled_in_secs", 0))
            self.started.append((route.removeprefix("jobs/run/f/"), request.json, wait_seconds))
            return Response("0191c3a8-0000-7000-8000-000000000000", 201)
        if route.startswith("jobs/run/h/"):
            self.scripts.append((route.removeprefix("jobs/run/h/"), request.json))
            if isinstance(self.script_answer, int):
                return Response("no", self.script_answer)
            return Response("0191c3a8-0000-7000-8000-000000000001", 201)
        if route.startswith("jobs_u/completed/get_result_maybe/"):
            return Response(json.dumps(self.script_answer), content_type="application/json")
        found = {
            **{f"resources/get_value_interpolated/{k}": v for k, v in self.resources.items()},
            **{f"variables/get_value/{k}": v for k, v in self.variables.items()},
        }
        if route not in found:
            return Response("Not found", 404)
        return Response(json.dumps(found[route]), content_type="application/json")
