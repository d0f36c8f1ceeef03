"""Turn a request to an HTTP trigger into the arguments, or the preprocessor's event, of its job."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from runner import strict_json
from runner.http_triggers import Match


@dataclass(frozen=True)
class TriggerRequest:
    """One request as it arrived; header names are lower-case."""

    match: Match
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class UnsupportedBody(ValueError):
    """A body of a type that this runner does not read."""


def arguments_of(request: TriggerRequest) -> dict:
    """Without a preprocessor only the body's fields arrive: query, headers and path are lost."""
    trigger = request.match.trigger
    fields, raw_string = _body_of(request)
    if trigger.wraps_body or not isinstance(fields, dict):
        fields = {"body": fields}
    return fields if raw_string is None else {**fields, "raw_string": raw_string}


def event_of(request: TriggerRequest) -> dict:
    fields, raw_string = _body_of(request)
    trigger = request.match.trigger
    return {
        "kind": "http",
        "route": trigger.route_path,
        "path": request.path.strip("/"),
        "trigger_path": trigger.path,
        "method": request.method.lower(),
        "body": fields,
        "raw_string": raw_string,
        "params": request.match.params,
        "query": dict(parse_qsl(request.query, keep_blank_values=True)),
        "headers": dict(request.headers),
    }


def _body_of(request: TriggerRequest) -> tuple[object, str | None]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    wants_raw_string = request.match.trigger.wants_raw_string
    if not content_type or content_type == "application/json" or content_type.endswith("+json"):
        fields = strict_json.parse(request.body) if request.body.strip() else {}
    elif content_type == "application/x-www-form-urlencoded":
        fields = dict(parse_qsl(_text(request.body), keep_blank_values=True))
    elif content_type.startswith("multipart/"):
        raise UnsupportedBody("multipart bodies are not supported; send JSON or a form")
    else:
        fields, wants_raw_string = {}, True
    return fields, _text(request.body) if wants_raw_string else None


def _text(body: bytes) -> str:
    """The bytes as text, or in base64 where they are none."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return base64.b64encode(body).decode()
