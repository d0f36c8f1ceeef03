"""A server of the test's own behind every public name."""

import pytest

from tests.agent.mcp_servers import OneServer, reach


@pytest.fixture
def internet(httpserver, monkeypatch) -> OneServer:
    return reach(monkeypatch, httpserver.port)


@pytest.fixture
def misbehaving(httpserver, internet, monkeypatch):
    """misbehaving(handler): an MCP server that answers each request so; it is waited for a
    second."""
    monkeypatch.setattr("f.agent.mcp_client.SECONDS", 1)
    return lambda handler: httpserver.expect_request("/mcp").respond_with_handler(handler)
