"""The server starts on a free port, serves many at once, and stops while it is busy."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from runner.engine import Engine
from runner.server import PortInUse, Server
from runner.workspace import load_workspace
from tests.runner.serving import ECHO, TRIGGER, open_socket, post, serving, write_files

SLOW = {
    **ECHO,
    "f/t/slow.py": (
        "import time\ndef main(seconds=20):\n    time.sleep(seconds)\n    return 'done'\n"
    ),
    "f/t/slow.http_trigger.yaml": TRIGGER.format(
        script_path="f/t/slow", route_path="slow", raw_string="false"
    ),
}


def test_a_port_in_use_is_named_in_a_sentence(tmp_path):
    with serving(tmp_path, ECHO) as server:
        port = int(server.base_url.rpartition(":")[2])
        second = Server(server.engine, port=port)

        with pytest.raises(PortInUse, match=f"Port {port} on 127.0.0.1 is in use"):
            second.start()


def test_a_server_stops_while_jobs_run_and_lines_are_open(tmp_path):
    with serving(tmp_path, SLOW) as server, ThreadPoolExecutor(1) as waiting:
        answer = waiting.submit(post, server, "/api/r/slow", {})
        silent = open_socket(server)
        silent.sendall(b"POST /api/r/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n")
        while server.engine.idle():
            time.sleep(0.01)

        server.stop()

        assert answer.result(timeout=5).status == 503
        assert not server.is_running
        silent.close()


def test_fifty_requests_wait_for_their_jobs_at_once(tmp_path):
    with serving(tmp_path, SLOW, worker_threads=50) as server, ThreadPoolExecutor(50) as many:
        send = [many.submit(post, server, "/api/r/slow", {"seconds": 0.5}) for _ in range(50)]

        assert {sent.result(timeout=20).text for sent in send} == {'"done"'}


def test_a_step_that_calls_back_is_answered_while_all_others_wait(tmp_path):
    files = {
        **SLOW,
        "f/t/v.variable.yaml": "value: hello\nis_secret: false\n",
        "f/t/slow.py": (
            "import os, json\nfrom urllib.request import Request, urlopen\n"
            "def main():\n"
            "    base = os.environ['BASE_INTERNAL_URL'] + '/api/w/chatmill'\n"
            "    url = base + '/variables/get_value/f/t/v'\n"
            "    headers = {'Authorization': 'Bearer ' + os.environ['WM_TOKEN']}\n"
            "    return json.load(urlopen(Request(url, headers=headers)))\n"
        ),
    }
    with serving(tmp_path, files) as server, ThreadPoolExecutor(80) as many:
        send = [many.submit(post, server, "/api/r/slow", {}) for _ in range(80)]

        assert {sent.result(timeout=30).text for sent in send} == {'"hello"'}


def test_extra_routes_come_before_the_triggers(tmp_path):
    async def health(request):
        return PlainTextResponse("fine")

    write_files(tmp_path, ECHO)
    server = Server(Engine(load_workspace(tmp_path)), extra_routes=[Route("/health", health)])
    server.start()

    with open_socket(server) as line:
        line.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert line.makefile("rb").read().endswith(b"fine")
    server.stop()


def test_a_server_that_never_started_can_be_stopped(tmp_path):
    server = Server(Engine(load_workspace(tmp_path)))

    server.stop()

    assert not server.is_running
