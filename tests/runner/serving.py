"""A workspace written to a folder and served over a real socket, for tests of the server."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

from runner.engine import Engine
from runner.server import Server
from runner.workspace import load_workspace

TRIGGER = """\
script_path: {script_path}
is_flow: false
route_path: {route_path}
http_method: post
request_type: sync
authentication_method: none
is_static_website: false
workspaced_route: false
wrap_body: false
raw_string: {raw_string}
"""
ECHO = {
    "f/t/echo.py": "def main(x=None, raw_string=None):\n    return {'x': x, 'raw': raw_string}\n",
    "f/t/echo.http_trigger.yaml": TRIGGER.format(
        script_path="f/t/echo", route_path="echo", raw_string="false"
    ),
    "f/t/raw.http_trigger.yaml": TRIGGER.format(
        script_path="f/t/echo", route_path="raw", raw_string="true"
    ),
}


def write_files(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


@contextmanager
def serving(root: Path, files: dict[str, str], limits=None, **options) -> Iterator[Server]:
    write_files(root, files)
    engine = Engine(load_workspace(root), **options)
    server = Server(engine, limits=limits)
    server.start()
    engine.start(server.base_url)
    server.engine = engine
    try:
        yield server
    finally:
        server.stop()
        engine.stop(grace_seconds=1)


def connect(server: Server) -> HTTPConnection:
    return HTTPConnection(server.base_url.removeprefix("http://"), timeout=20)


def post(server: Server, path: str, body: bytes | dict, **headers) -> HTTPResponse:
    """The response, its body already read into `.text`."""
    connection = connect(server)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", path, content, {"content-type": "application/json", **names})
    response = connection.getresponse()
    response.text = response.read().decode()
    connection.close()
    return response


def open_socket(server: Server) -> socket.socket:
    host, port = server.base_url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)
