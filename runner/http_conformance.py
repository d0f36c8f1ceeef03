"""Send what was sent to a real Windmill server and compare what comes back."""

import json
import uuid
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

from runner.comparison import Compared, is_same
from runner.engine import Engine
from runner.server import Server

# In the files, this stands for the id of whatever job the request started.
ANY_JOB_ID = "<job uuid>"
TIMEOUT_SECONDS = 30


def run_cases(engine: Engine, cases: list[dict]) -> Iterator[Compared]:
    server = Server(engine, "127.0.0.1", 0)
    server.start()
    engine.base_url = server.base_url
    try:
        for case in cases:
            yield run_case(server.base_url, case)
    finally:
        server.stop()


def run_case(base_url: str, case: dict) -> Compared:
    expected = case["response"]
    got = _send(base_url, case["request"], expected.keys())
    return Compared(case["name"], expected, got, _is_same_response(expected, got))


def _send(base_url: str, request: Mapping, wanted) -> dict:
    address = urlsplit(base_url)
    body = b64decode(request["body_base64"])
    with closing(
        HTTPConnection(address.hostname, address.port, timeout=TIMEOUT_SECONDS)
    ) as connection:
        connection.request(request["method"], request["path"], body or None, request["headers"])
        response = connection.getresponse()
        text = response.read().decode("utf-8", errors="replace")
    known = {
        "status": response.status,
        "content_type": response.getheader("content-type"),
        "body": text,
    }
    return {key: known.get(key, response.getheader(key)) for key in wanted}


def _is_same_response(expected: dict, got: dict) -> bool:
    compared = [key for key in expected if key != "body"]
    if any(expected[key] != got[key] for key in compared):
        return False
    if expected["status"] >= 400:
        return _error_name(expected["body"]) == _error_name(got["body"])
    return _is_same_body(expected["body"], got["body"])


def _is_same_body(expected: str, got: str) -> bool:
    if expected == ANY_JOB_ID:
        return _is_job_id(got)
    expected_json, got_json = _as_json(expected), _as_json(got)
    if expected_json is None or got_json is None:
        return expected == got
    return is_same(expected_json, got_json)


def _error_name(body: str):
    document = _as_json(body)
    error = document.get("error") if isinstance(document, dict) else None
    return error.get("name") if isinstance(error, dict) else None


def _as_json(text: str):
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def _is_job_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
