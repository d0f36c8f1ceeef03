"""Talk to an organization's MCP server with the official client, over our own safe connections.

The client takes two seconds to import, so only f/agent/mcp_tool.py asks for this file, and only
in a turn that calls such a tool. Both eras of the protocol; neither sampling, roots nor
elicitation is offered. https://modelcontextprotocol.io/specification
"""

import http.client
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio  # pin: anyio==4.16.0
import anyio.to_thread
import httpx2  # pin: httpx2==2.16.2
from mcp import Client, MCPError  # pin: mcp==2.3.0
from mcp.client.streamable_http import streamable_http_client

from f.shared.errors import InputRefused, ToolFailed, UpstreamDown
from f.shared.internet import Internet
from f.shared.web_addresses import read_url

INTERNET = Internet()
SCHEMES = ("https",)  # a token is sent, so nobody may listen
SECONDS = 10
MAX_BYTES = 256 * 1024
MAX_PAGES = 10
MAX_TOOLS = 100
MAX_ROUNDS = 3  # of a server that asks for more input


@dataclass(frozen=True)
class McpServer:
    url: str
    token: str = field(repr=False, default="")


def list_tools(server: McpServer) -> list[dict]:
    """Definitions as they are approved: name, description, inputSchema, outputSchema, annotations.

    Raises ToolFailed, UpstreamDown.
    """
    return _exchange(server, _listed)


def call_tool(server: McpServer, name: str, arguments: dict) -> dict:
    """`is_error`, `text`, and `structured` where the tool tells it. Raises ToolFailed when it was
    surely not called, else UpstreamDown."""

    async def call(client: Client) -> dict:
        result = await client.call_tool(name, arguments)
        texts = [block.text for block in result.content if block.type == "text"]
        return {
            "is_error": bool(result.is_error),
            "text": "\n".join(texts),
            "structured": result.structured_content,
        }

    return _exchange(server, call)


async def _listed(client: Client) -> list[dict]:
    found: list[dict] = []
    cursor = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor, cache_mode="bypass")
        found += [_definition(tool) for tool in page.tools]
        cursor = page.next_cursor
        if not cursor or len(found) >= MAX_TOOLS:
            break
    return found[:MAX_TOOLS]


def _definition(tool) -> dict:
    notes = tool.annotations and tool.annotations.model_dump(by_alias=True, exclude_none=True)
    return {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": tool.input_schema,
        "outputSchema": tool.output_schema,
        "annotations": notes or None,
    }


def _exchange(server: McpServer, work: Callable[[Client], Awaitable]):
    transport = SafeTransport(server)

    async def talk():
        with anyio.fail_after(SECONDS):
            async with httpx2.AsyncClient(
                transport=transport, follow_redirects=False
            ) as http_client:
                streams = streamable_http_client(server.url, http_client=http_client)
                async with Client(streams, input_required_max_rounds=MAX_ROUNDS) as client:
                    return await work(client)

    try:
        return anyio.run(talk)
    except* (MCPError, httpx2.HTTPError, TimeoutError, ValueError, RuntimeError, OSError):
        pass  # told below, outside of the group
    # Their words are the server's: they go neither to the model nor into a log.
    raise _failure(transport)


def _failure(transport: "SafeTransport") -> Exception:
    if transport.was_refused:
        return ToolFailed("the server's address is not allowed")
    return UpstreamDown("the server gave no answer in a form that we know")


class SafeTransport(httpx2.AsyncBaseTransport):
    """One request on one checked connection: to the server's own origin, to public addresses, as
    many bytes and seconds as allowed. A redirect is an answer like any other, so nothing follows
    it, and the token goes nowhere else."""

    def __init__(self, server: McpServer):
        self._server = server
        self._target = read_url(server.url)
        self.was_refused = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        if request.method == "GET":
            return httpx2.Response(405)  # a stream that the server writes to when it likes
        return await anyio.to_thread.run_sync(self._send, request, body, abandon_on_cancel=True)

    def _send(self, request: httpx2.Request, body: bytes) -> httpx2.Response:
        try:
            target = read_url(str(request.url))
            if (target.scheme, target.host) != (self._target.scheme, self._target.host):
                raise httpx2.ConnectError("another origin than the server's")
            if target.scheme not in SCHEMES:
                self.was_refused = True
                raise httpx2.ConnectError("not over TLS")
            deadline = INTERNET.deadline(SECONDS)
            with INTERNET.connect(target, deadline) as connection:
                client = http.client.HTTPConnection(target.host, target.port)
                client.sock = connection
                client.request(request.method, target.path, body, self._headers(request, target))
                answer = client.getresponse()
                return httpx2.Response(
                    answer.status, headers=answer.getheaders(), content=_read(answer)
                )
        except InputRefused as error:
            self.was_refused = True
            raise httpx2.ConnectError("the address is not allowed") from error
        except (OSError, http.client.HTTPException) as error:
            raise httpx2.ReadError("the connection failed") from error

    def _headers(self, request: httpx2.Request, target) -> dict[str, str]:
        wanted = ("accept", "content-type", "mcp-")
        kept = {k: v for k, v in request.headers.items() if k.lower().startswith(wanted)}
        token = {"authorization": f"Bearer {self._server.token}"} if self._server.token else {}
        own = {"host": target.origin_host, "connection": "close", "accept-encoding": "identity"}
        return {**kept, **token, **own}


def _read(answer: http.client.HTTPResponse) -> bytes:
    body = bytearray()
    while part := answer.read1(64 * 1024):
        body += part
        if len(body) > MAX_BYTES:
            raise httpx2.ReadError("the answer is too large")
    return bytes(body)
