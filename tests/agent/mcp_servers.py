"""An MCP server that a test plays, and the internet in which it is every public name."""

import json
import socket

from werkzeug import Response

import f.shared.safe_call as safe_call
from f.shared.internet import Internet

URL = "http://mcp.example/mcp"


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
