"""A contact, an MCP server that wants to know them, and their browser."""

import pytest

import f.shared.safe_call as safe_call
from f.chat import finish_sign_in
from tests.chat.sign_in.sign_in_server import CALLBACK, MCP_URL, Reach, SignInServer
from tests.chat.sign_in.words import ASK, link_in
from tests.chat.tools import STATUS, approve
from tests.conftest import ORGANIZATION_ID, SEALING_KEY
from tests.scripted_model import says


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    found = SignInServer(tmp_path_factory.mktemp("tls"))
    yield found
    found.server.clear()
    found.server.stop()


@pytest.fixture
def server(stand_in, monkeypatch):
    monkeypatch.setattr(safe_call, "INTERNET", Reach(stand_in))
    stand_in.begin()
    return stand_in


@pytest.fixture
def shop(server, query):
    """A tool that is called for the contact, who is not known there yet."""
    ((server_id,),) = query(
        "insert into tool_servers (organization_id, name, url, callback_url)"
        " values (%s, 'shop', %s, %s) returning id::text", ORGANIZATION_ID, MCP_URL, CALLBACK,
    )  # fmt: skip
    approve(
        query, "read", "mcp", STATUS, "status", pinned_hash=None, bindings={},
        server_id=server_id, name="shop__status",
    )  # fmt: skip


@pytest.fixture
def asked(say, shop):
    """asked() -> the link that a contact who asks for the tool is sent."""

    def run(contact_key="15550001"):
        return link_in(say("Where is 7?", ASK, says("One moment."), contact_key=contact_key))

    return run


@pytest.fixture
def come_back(database):
    """What the browser is shown: (status, words)."""

    def run(query):
        shown = finish_sign_in.finish(database, SEALING_KEY, query)
        return shown.status_code, shown.text

    return run
