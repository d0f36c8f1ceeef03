"""Turn a job's outcome into a sync trigger's response, by Windmill's special result keys."""

import base64
import binascii
import json
import re

from starlette.responses import Response

JSON = "application/json"
SPECIAL_KEYS = ("status_code", "content_type", "headers", "content_transfer_encoding")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")
OUR_HEADERS = frozenset({"connection", "content-length", "transfer-encoding"})


class BadResult(ValueError):
    """The special keys of a result ask for a response that HTTP does not have."""


def response_of(success: bool, result: object) -> Response:
    special = _special_of(result)
    if not special:
        return json_response(200 if success else 422, result)
    has_result = "result" in result
    content, content_type = _content(special, result["result"]) if has_result else (b"", "")
    response = typed_response(_status(special, success, has_result), content, content_type)
    for name, value in _headers(special).items():
        _set_header(response, name, value)
    return response


def json_response(status: int, value: object) -> Response:
    return typed_response(status, json.dumps(value).encode(), JSON)


def text_response(status: int, text: str, content_type: str = "text/plain") -> Response:
    return typed_response(status, text.encode(errors="replace"), content_type)


def typed_response(status: int, content: bytes, content_type: str) -> Response:
    """The content type exactly as given: Starlette would add a charset to text."""
    has_no_content = status in (204, 304)
    response = Response(b"" if has_no_content else content, status)
    if content_type:
        _set_header(response, "content-type", content_type)
    return response


def _special_of(result: object) -> dict:
    if not isinstance(result, dict):
        return {}
    values = {key: result.get(f"windmill_{key}", result.get(f"wm_{key}")) for key in SPECIAL_KEYS}
    return {key: value for key, value in values.items() if value is not None}


def _status(special: dict, success: bool, has_result: bool) -> int:
    if "status_code" not in special:
        return (200 if has_result else 204) if success else 422
    status = special["status_code"]
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise BadResult(f"windmill_status_code must be a number from 200 to 599, not {status!r}")
    return status


def _content(special: dict, body: object) -> tuple[bytes, str]:
    content_type = special.get("content_type", "")
    if special.get("content_transfer_encoding") == "base64":
        return _decoded(body), content_type or "application/octet-stream"
    if content_type and isinstance(body, str):
        return body.encode(errors="replace"), content_type
    return json.dumps(body).encode(), content_type or JSON


def _decoded(body: object) -> bytes:
    try:
        return base64.b64decode(str(body), validate=True)
    except binascii.Error as error:
        raise BadResult(
            "result is not base64 as windmill_content_transfer_encoding says"
        ) from error


def _headers(special: dict) -> dict:
    headers = special.get("headers", {})
    if not isinstance(headers, dict):
        raise BadResult("windmill_headers must be an object of header names and values")
    return headers


def _set_header(response: Response, name: str, value: object) -> None:
    text = str(value)
    is_sound = HEADER_NAME.fullmatch(name) and HEADER_VALUE.fullmatch(text)
    if not is_sound or name.lower() in OUR_HEADERS:
        raise BadResult(f"the response header {name!r} cannot be sent")
    response.headers[name] = text
