"""What a hostile or broken sender can do to the server: get an answer, and nothing else."""

import gc
import gzip
import json
import os
import time
from pathlib import Path

import pytest

from runner.request_bodies import BodyLimits
from tests.runner.serving import ECHO, connect, open_socket, post, serving

MEGABYTE = 1024 * 1024
LIMITS = BodyLimits(max_bytes=4 * MEGABYTE, idle_seconds=0.5, total_seconds=1.5)
ALLOWED_GROWTH_BYTES = 50 * MEGABYTE


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("workspace")
    with serving(root, ECHO, limits=LIMITS) as running:
        yield running


@pytest.fixture(autouse=True)
def alive_and_no_larger(server):
    post(server, "/api/r/echo", {"x": 1})
    before_bytes = resident_bytes()

    yield

    assert post(server, "/api/r/echo", {"x": 1}).status == 200
    assert becomes_true(lambda: resident_bytes() - before_bytes < ALLOWED_GROWTH_BYTES)


def becomes_true(condition) -> bool:
    """What closed connections held is given back a moment after they are closed."""
    for _ in range(50):
        if condition():
            return True
        gc.collect()
        time.sleep(0.1)
    return False


def resident_bytes() -> int:
    """Linux only: elsewhere the tests still see that the server answers."""
    statistics = Path("/proc/self/statm")
    if not statistics.exists():
        return 0
    return int(statistics.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def chunks(count: int, size: int = 64 * 1024):
    for _ in range(count):
        yield b"a" * size


def answer_to_raw(server, *parts: bytes) -> bytes:
    """Write the parts and read to the end; what cannot be written any more is left unwritten."""
    with open_socket(server) as line:
        try:
            for part in parts:
                line.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return line.makefile("rb").read()


HEAD = b"POST /api/r/echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


def test_w12_a_declared_50_megabyte_body_is_refused(server):
    response = post(server, "/api/r/echo", b"a" * (50 * MEGABYTE))

    assert response.status == 413
    assert response.text == "The request body is larger than 4194304 bytes."


def test_a_50_megabyte_body_in_chunks_is_refused(server):
    connection = connect(server)
    connection.request("POST", "/api/r/echo", chunks(800), encode_chunked=True)

    assert connection.getresponse().status == 413
    connection.close()


def test_w12_chunks_without_an_end_are_cut_off(server):
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"

    with open_socket(server) as line, pytest.raises((BrokenPipeError, ConnectionResetError)):
        line.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(3000):
            line.sendall(chunk)


def test_a_body_that_stops_arriving_is_given_up(server):
    answer = answer_to_raw(server, HEAD + b"connection: close\r\ncontent-length: 100\r\n\r\n{")

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b"The request body took too long to arrive.")


def test_a_head_without_an_end_is_refused(server):
    answer = answer_to_raw(server, HEAD + b"x-a: " + b"a" * 200_000)

    assert answer.startswith(b"HTTP/1.1 431 ")


def test_w12_a_compressed_body_is_never_inflated(server):
    bomb = gzip.compress(b"0" * (50 * MEGABYTE))

    response = post(server, "/api/r/echo", bomb, content_encoding="gzip")

    assert response.status == 400
    assert response.text.startswith("Bad request: invalid json: ")


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b'{"x": NaN}',
        b'{"x": 1}{"x": 2}',
        b'{"x": "\xff\xfe"}',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"x":' * 10_000 + b"1" + b"}" * 10_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_w12_what_is_not_strict_json_is_a_bad_request(server, body):
    for _ in range(200):
        response = post(server, "/api/r/echo", body)

    assert response.status == 400
    assert response.getheader("content-type") == "text/plain"
    assert response.text.startswith("Bad request: invalid json: ")


def test_the_last_of_two_equal_keys_counts(server):
    assert json.loads(post(server, "/api/r/echo", b'{"x": 1, "x": 2}').text)["x"] == 2


def test_a_nul_character_reaches_the_script(server):
    response = post(server, "/api/r/echo", b'{"x": "a\\u0000b"}')

    assert response.status == 200


def test_the_raw_string_is_the_body_untouched(server):
    body = '{ "x" :\t1.0, "x":1, "y": "\\u00e9é" }\n'

    response = post(server, "/api/r/raw", body.encode())

    assert json.loads(response.text)["raw"] == body


def test_bytes_that_are_no_text_arrive_in_base64(server):
    response = post(server, "/api/r/raw", b"\xff\xfe", content_type="application/octet-stream")

    assert json.loads(response.text)["raw"] == "//4="


def test_a_multipart_body_is_refused(server):
    response = post(server, "/api/r/echo", b"--x", content_type="multipart/form-data; boundary=x")

    assert response.status == 415


@pytest.mark.parametrize(
    "start_line",
    [b"POST * HTTP/1.1", b"GET / HTTP/9.9", b"\x16\x03\x01\x02", b"POST /%ff%00 HTTP/1.1"],
)
def test_what_is_hardly_http_is_answered_in_the_400s(server, start_line):
    request = start_line + b"\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

    answer = answer_to_raw(server, request)

    assert answer.startswith(b"HTTP/1.1 40")


def test_200_large_bodies_at_once_do_not_fill_the_memory(server):
    head = HEAD + b"content-length: 4000000\r\n\r\n"
    lines = [open_socket(server) for _ in range(200)]
    for line in lines:
        line.sendall(head + b"a" * 1_000_000)
    for line in lines:
        line.close()


def test_payload_files_that_are_malformed_are_answered(server):
    folder = Path(__file__).parents[2].parent / "shared" / "payloads" / "malformed"
    if not folder.exists():
        pytest.skip("the shared payloads are not here")

    for file in folder.iterdir():
        assert post(server, "/api/r/echo", file.read_bytes()).status in (200, 400)
