"""MCP servers over real HTTP: the official one in both eras, and servers that misbehave."""

import json
import socket
import threading
import time

import pytest

pytest.importorskip("mcp", reason="mcp is installed by ./chatmill")

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp_types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequiredResult,
    ListRootsRequest,
)
from werkzeug import Response

import f.agent.mcp_client as mcp_client
import f.shared.safe_call as safe_call
from f.agent.mcp_client import McpServer, call_tool, list_tools
from f.shared.errors import ToolFailed, UpstreamDown, UpstreamRefused
from f.shared.internet import Internet

SERVER = McpServer("http://mcp.example/mcp", "canary-token")


class OneServer(Internet):
    """Every public name is the one server of the test; what is private stays so."""

    def __init__(self, port):
        self._port = port
        self.opened = []

    def look_up(self, host):
        return ["93.184.216.34"]

    def open(self, address, port, seconds):
        self.opened.append(address)
        return socket.create_connection(("127.0.0.1", self._port), timeout=seconds)


@pytest.fixture(scope="module")
def asked():
    """Calls of the tools that want something more."""
    return []


@pytest.fixture(scope="module")
def shop_port(asked):
    shop = MCPServer("shop")
    wanted = {
        "sampling": CreateMessageRequest(
            params=CreateMessageRequestParams(messages=[], max_tokens=9)
        ),
        "elicitation": ElicitRequest(
            params=ElicitRequestFormParams(
                message="Your password?", requested_schema={"type": "object", "properties": {}}
            )
        ),
        "roots": ListRootsRequest(),
    }

    @shop.tool()
    def status(number: str) -> str:
        """Status of an order."""
        if number == "0":
            raise ValueError("canary stack trace")
        return f"Order {number} is on its way."

    @shop.tool()
    def endless(number: str) -> InputRequiredResult:
        asked.append(number)
        return InputRequiredResult(request_state=f"round {len(asked)}")

    @shop.tool()
    def nosy(number: str) -> InputRequiredResult:
        asked.append(number)
        return InputRequiredResult(input_requests={"a": wanted[number]})

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = shop.streamable_http_app(host="mcp.example")
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield port
    server.should_exit = True
    thread.join()


@pytest.fixture
def shop(shop_port, monkeypatch):
    return reach(monkeypatch, shop_port)


@pytest.fixture
def misbehaving(httpserver, monkeypatch):
    reach(monkeypatch, httpserver.port)
    monkeypatch.setattr(mcp_client, "SECONDS", 1)
    return lambda handler: httpserver.expect_request("/mcp").respond_with_handler(handler)


def reach(monkeypatch, port):
    internet = OneServer(port)
    monkeypatch.setattr(safe_call, "INTERNET", internet)
    monkeypatch.setattr(safe_call, "SCHEMES", ("http",))
    return internet


def answered(request, result):
    body = {"jsonrpc": "2.0", "id": (request.json or {}).get("id"), "result": result}
    return Response(json.dumps(body), content_type="application/json")


def legacy(result):
    """A server of 2025-11-25 that answers whatever it is asked with `result`."""

    def answer(request):
        method = (request.json or {}).get("method", "")
        if method == "initialize":
            about = {"name": "s", "version": "1"}
            return answered(
                request,
                {
                    "protocolVersion": "2025-11-25",
                    "capabilities": {"tools": {}},
                    "serverInfo": about,
                },
            )
        if method.startswith("notifications/"):
            return Response("", 202)
        if method.startswith("tools/"):
            return answered(request, result(request.json))
        body = {
            "jsonrpc": "2.0",
            "id": request.json.get("id"),
            "error": {"code": -32601, "message": "?"},
        }
        return Response(json.dumps(body), content_type="application/json")

    return answer


def test_m04_tools_are_listed_and_called_on_the_official_server(shop):
    tool, *_ = list_tools(SERVER)

    assert (tool["name"], tool["description"]) == ("status", "Status of an order.")
    assert tool["inputSchema"]["required"] == ["number"]
    assert call_tool(SERVER, "status", {"number": "7"})["text"] == "Order 7 is on its way."


def test_m04_a_server_of_the_older_era_is_spoken_to_in_its_way(misbehaving):
    content = [{"type": "text", "text": "old"}]
    misbehaving(legacy(lambda request: {"content": content, "tools": []}))

    assert call_tool(SERVER, "x", {})["text"] == "old"
    assert list_tools(SERVER) == []


def of_version(version):
    """A legacy server that says it speaks `version`."""
    ours = legacy(lambda request: {"content": [], "tools": []})

    def answer(request):
        told = ours(request)
        return Response(told.data.replace(b"2025-11-25", version), told.status_code, told.headers)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        of_version(b"1999-01-01"),
        lambda request: Response("", 405),  # HTTP with SSE, of 2024: a stream and another address
    ],
)
def test_m04_a_server_of_no_known_era_is_no_server_to_us(misbehaving, answer):
    misbehaving(answer)

    with pytest.raises(UpstreamDown):
        call_tool(SERVER, "x", {})


def test_m05_a_server_that_wants_more_for_ever_is_left_after_three_rounds(shop, asked):
    asked.clear()

    with pytest.raises(UpstreamDown):
        call_tool(SERVER, "endless", {"number": "1"})

    assert len(asked) <= 1 + mcp_client.MAX_ROUNDS


@pytest.mark.parametrize("what", ["sampling", "elicitation", "roots"])
def test_m05_what_we_never_offered_is_refused(shop, asked, what):
    asked.clear()

    with pytest.raises(UpstreamDown):
        call_tool(SERVER, "nosy", {"number": what})

    assert len(asked) <= 1


def test_m07_an_error_of_a_tool_is_an_error_and_its_words_stay_out(shop):
    assert call_tool(SERVER, "status", {"number": "0"})["is_error"]


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
def test_m06_an_internal_address_is_never_reached(shop, monkeypatch, url):
    monkeypatch.setattr(OneServer, "look_up", Internet.look_up)

    with pytest.raises((ToolFailed, UpstreamDown, mcp_client.InputRefused)):
        list_tools(McpServer(url))

    assert shop.opened == []


def test_m06_m13_without_tls_nothing_is_sent(shop, monkeypatch):
    monkeypatch.setattr(safe_call, "SCHEMES", ("https",))

    with pytest.raises(ToolFailed):
        list_tools(SERVER)

    assert shop.opened == []


def test_m13_the_token_goes_to_the_servers_own_address_only(misbehaving, httpserver):
    misbehaving(lambda request: Response("", 307, headers={"location": "http://other.example/"}))

    with pytest.raises((UpstreamDown, ToolFailed)):
        list_tools(SERVER)

    assert {request.headers["host"] for request, _ in httpserver.log} == {"mcp.example"}
    assert "canary" not in repr(SERVER)
