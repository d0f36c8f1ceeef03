"""HTTP triggers and the table that finds the one a request is for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Windmill verifies these over the body's bytes, so it always hands them over.
RAW_STRING_METHODS = frozenset({"signature", "custom_script"})


@dataclass(frozen=True)
class HttpTrigger:
    path: str
    script_path: str
    is_flow: bool
    route_path: str
    method: str
    is_async: bool
    authentication_method: str
    authentication_resource_path: str
    wants_raw_string: bool
    wraps_body: bool
    is_workspaced: bool


@dataclass(frozen=True)
class Match:
    trigger: HttpTrigger
    params: dict[str, str]


def trigger_from(path: str, metadata: dict) -> HttpTrigger:
    authentication_method = metadata.get("authentication_method", "none")
    return HttpTrigger(
        path=path,
        script_path=metadata["script_path"],
        is_flow=bool(metadata.get("is_flow")),
        route_path=metadata["route_path"],
        method=metadata["http_method"],
        is_async=metadata.get("request_type", "sync") == "async",
        authentication_method=authentication_method,
        authentication_resource_path=metadata.get("authentication_resource_path") or "",
        wants_raw_string=bool(metadata.get("raw_string"))
        or authentication_method in RAW_STRING_METHODS,
        wraps_body=bool(metadata.get("wrap_body")),
        is_workspaced=bool(metadata.get("workspaced_route")),
    )


class RouteTable:
    """Static segments win over `:name`, and `:name` over `*name`, in whatever order they come."""

    def __init__(self, triggers: Iterable[HttpTrigger], workspace_id: str):
        routes = [(_full_route(trigger, workspace_id), trigger) for trigger in triggers]
        routes.sort(key=lambda route: _specificity(route[0]))
        self._routes = [(pattern_of(route), trigger) for route, trigger in routes]

    def find(self, method: str, path: str) -> Match | None:
        method, path = method.lower(), path.strip("/")
        for pattern, trigger in self._routes:
            if trigger.method == method and (found := pattern.fullmatch(path)):
                return Match(trigger, found.groupdict())
        return None


def pattern_of(route_path: str) -> re.Pattern[str]:
    return re.compile("/".join(_segment_pattern(segment) for segment in route_path.split("/")))


def _full_route(trigger: HttpTrigger, workspace_id: str) -> str:
    return f"{workspace_id}/{trigger.route_path}" if trigger.is_workspaced else trigger.route_path


def _specificity(route_path: str) -> list[int]:
    return [{":": 1, "*": 2}.get(segment[:1], 0) for segment in route_path.split("/")]


def _segment_pattern(segment: str) -> str:
    if segment.startswith(":"):
        return f"(?P<{segment[1:]}>[^/]+)"
    if segment.startswith("*"):
        return f"(?P<{segment[1:]}>.+)"
    return re.escape(segment)
