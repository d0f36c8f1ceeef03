"""MCP servers that misbehave, addresses that are not theirs, and what is known of a call then."""

import threading
import time
from functools import partial

import pytest

pytest.importorskip("mcp", reason="mcp is installed by ./chatmill")

import anyio
import anyio.to_thread
import httpx2
from werkzeug import Response

import f.agent.mcp_client as mcp_client
import f.shared.safe_call as safe_call
from f.agent.mcp_client import McpServer, SafeTransport, call_tool, list_tools
from f.shared.errors import ToolFailed, UpstreamDown, UpstreamRefused
from f.shared.internet import Internet
from tests.agent.mcp_servers import URL, OneServer, legacy

SERVER = McpServer(URL, "canary-token")


def test_m02_a_list_without_an_end_is_cut(misbehaving):
    tool = {"name": "t", "inputSchema": {"type": "object"}}
    pages = []

    def page(request):
        pages.append(request)
        return {"tools": [tool] * 5, "nextCursor": str(len(pages))}

    misbehaving(legacy(page))

    assert len(list_tools(SERVER)) == 50
    assert len(pages) == mcp_client.MAX_PAGES


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: Response("x" * 300_000, content_type="application/json"),
        lambda request: Response("no JSON", content_type="application/json"),
        lambda request: Response("{}", content_type="text/html"),
        lambda request: Response("", 500),
        lambda request: Response("", 302, headers={"location": "http://127.0.0.1/mcp"}),
        lambda request: Response(endless(), content_type="text/event-stream"),
    ],
)
def test_m01_m02_m06_a_server_that_misbehaves_costs_a_second_and_no_more(misbehaving, answer):
    misbehaving(answer)

    with pytest.raises((UpstreamDown, ToolFailed)) as caught:
        call_tool(SERVER, "x", {})

    assert "canary" not in f"{caught.value!r}"


@pytest.mark.parametrize(
    ("to_call", "to_end", "raised"),
    [(401, 200, UpstreamRefused), (500, 401, UpstreamDown), (500, 200, UpstreamDown)],
)
def test_m16_only_a_call_that_was_refused_itself_may_be_made_again(
    misbehaving, to_call, to_end, raised
):
    methods = []

    def answer(request):
        methods.append("end" if request.method == "DELETE" else request.json["method"])
        statuses = {"end": to_end, "tools/call": to_call}
        if methods[-1] in statuses:
            return Response("", statuses[methods[-1]])
        told = legacy(lambda _: {})(request)
        told.headers["mcp-session-id"] = "s"
        return told

    misbehaving(answer)

    with pytest.raises(raised):
        call_tool(SERVER, "x", {})
    assert methods[-2:] == ["tools/call", "end"]


@pytest.mark.parametrize("beside", ["notifications/initialized", "tools/call"])
def test_m16_no_answer_but_a_calls_own_says_that_it_was_not_made(monkeypatch, beside):
    transport, has_begun, is_called = SafeTransport(SERVER), threading.Event(), threading.Event()

    def call(method, url, headers, body, deadline):
        if b'"beside"' not in body:
            is_called.set()
            return safe_call.Answer(500, [], b"")
        has_begun.set()
        return safe_call.Answer(401 if is_called.wait(5) else 500, [], b"")

    monkeypatch.setattr(safe_call, "call", call)
    anyio.run(post_two, transport, beside, has_begun)

    assert transport.wants_authorization and transport.has_called


async def post_two(transport, method, has_begun):
    """A request of this method, and a call while it is under way."""
    async with httpx2.AsyncClient(transport=transport) as client, anyio.create_task_group() as both:
        both.start_soon(partial(client.post, URL, json={"id": "beside", "method": method}))
        await anyio.to_thread.run_sync(has_begun.wait)
        await client.post(URL, json={"id": "called", "method": "tools/call"})


def endless():
    for _ in range(200):
        yield b": still here\n\n"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/mcp",
        "http://169.254.169.254/",
        "http://localhost/mcp",
        "http://10.0.0.1/mcp",
        "file:///etc/passwd",
        "http://mcp.example:22/",
    ],
)
def test_m06_an_internal_address_is_never_reached(internet, monkeypatch, url):
    monkeypatch.setattr(OneServer, "look_up", Internet.look_up)

    with pytest.raises((ToolFailed, UpstreamDown, mcp_client.InputRefused)):
        list_tools(McpServer(url))

    assert internet.opened == []


def test_m06_m13_without_tls_nothing_is_sent(internet, monkeypatch):
    monkeypatch.setattr(safe_call, "SCHEMES", ("https",))

    with pytest.raises(ToolFailed):
        list_tools(SERVER)

    assert internet.opened == []


def test_m13_the_token_goes_to_the_servers_own_address_only(misbehaving, httpserver):
    misbehaving(lambda request: Response("", 307, headers={"location": "http://other.example/"}))

    with pytest.raises((UpstreamDown, ToolFailed)):
        list_tools(SERVER)

    assert {request.headers["host"] for request, _ in httpserver.log} == {"mcp.example"}
    assert "canary" not in repr(SERVER)
