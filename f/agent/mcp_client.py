"""Talk to an organization's MCP server with the official client, over our own safe connections.

The client takes two seconds to import, so only f/agent/mcp_tool.py asks for this file, and only
in a turn that calls such a tool. Both eras of the protocol; neither sampling, roots nor
elicitation is offered. https://modelcontextprotocol.io/specification
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio  # pin: anyio==4.16.0
import anyio.to_thread
import httpx2  # pin: httpx2==2.16.2
from mcp import Client, MCPError  # pin: mcp==2.3.0
from mcp.client.streamable_http import streamable_http_client

import f.shared.safe_call as safe_call
from f.shared.deadline import Deadline
from f.shared.errors import InputRefused, ToolFailed, UpstreamDown, UpstreamRefused
from f.shared.web_addresses import read_url

SECONDS = 10
MAX_PAGES = 10
MAX_TOOLS = 100
MAX_ROUNDS = 3  # of a server that asks for more input
A_CALL = b'"tools/call"'  # in a request's body; inside of a JSON string its marks would be escaped


@dataclass(frozen=True)
class McpServer:
    url: str
    token: str = field(repr=False, default="")


def list_tools(server: McpServer) -> list[dict]:
    """Definitions as they are approved: name, description, inputSchema, outputSchema, annotations.

    Raises ToolFailed, UpstreamDown, UpstreamRefused (401).
    """
    return _exchange(server, _listed)


def call_tool(server: McpServer, name: str, arguments: dict) -> dict:
    """`is_error`, `text`, and `structured` where the tool tells it. Raises ToolFailed when it was
    surely not called, UpstreamRefused where the token is not taken, else UpstreamDown."""

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
    if transport.has_called:
        return UpstreamDown("the server gave no answer to a call")
    if transport.was_refused:
        return ToolFailed("the server's address is not allowed")
    if transport.wants_authorization:
        return UpstreamRefused("the server does not take this token", status=401)
    return UpstreamDown("the server gave no answer in a form that we know")


class SafeTransport(httpx2.AsyncBaseTransport):
    """To the server's own origin only, by f/shared/safe_call.py: the token goes nowhere else."""

    def __init__(self, server: McpServer):
        self._server = server
        self._target = read_url(server.url)
        self._calls_out = 0
        self.was_refused = False
        self.wants_authorization = False

    @property
    def has_called(self) -> bool:
        """Whether a call went out and was not refused; whatever the server says of what goes beside
        it or comes after it (the end of the session, another round), the tool may have worked."""
        return self._calls_out > 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        if request.method == "GET":
            return httpx2.Response(405)  # a stream that the server writes to when it likes
        is_call = A_CALL in body
        self._calls_out += is_call  # now: past the deadline nobody waits for what follows
        try:
            answer = await anyio.to_thread.run_sync(
                self._send, request, body, abandon_on_cancel=True
            )
        except InputRefused as error:
            self._calls_out -= is_call
            self.was_refused = True
            raise httpx2.ConnectError("the address is not allowed") from error
        except UpstreamDown as error:
            raise httpx2.ReadError("the connection failed") from error
        if answer.status == 401:
            self._calls_out -= is_call
            self.wants_authorization = True
        return httpx2.Response(answer.status, headers=answer.headers, content=answer.content)

    def _send(self, request: httpx2.Request, body: bytes) -> safe_call.Answer:
        target = read_url(str(request.url))
        if (target.scheme, target.host) != (self._target.scheme, self._target.host):
            raise httpx2.ConnectError("another origin than the server's")
        headers = self._headers(request)
        return safe_call.call(request.method, target.url, headers, body, Deadline(SECONDS))

    def _headers(self, request: httpx2.Request) -> dict[str, str]:
        wanted = ("accept", "content-type", "mcp-")
        kept = {k: v for k, v in request.headers.items() if k.lower().startswith(wanted)}
        token = {"authorization": f"Bearer {self._server.token}"} if self._server.token else {}
        return {**kept, **token}
