"""The web chat's server and its pages, the widget in a browser, channels that are connected."""

import io
import json

import pytest

import f.channels.accounts as accounts
from local.channel import add, parse
from tests.conftest import SEALING_KEY
from tests.local.browser import Browser, Tab
from tests.local.shop_page import ROUTES
from tests.local.vendor_accounts import PUBLIC, SECRETS
from tests.local.web_chat import Page, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("workspace")) as found:
        yield found


@pytest.fixture
def address(served, databases, windmill, query):
    origins = json.dumps({"origins": ["shop.example", "*.shop.example", "http://localhost:5173"]})
    query("update channels set settings = %s where kind = 'web'", origins)
    return served.on(databases)


@pytest.fixture
def page(address):
    """A page of the shop that was let in."""
    page = Page(address)
    page.start()
    return page


@pytest.fixture
def stranger(address):
    other = Page(address)
    other.start()
    return other


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The server with another website beside it."""
    with serving(tmp_path_factory.mktemp("workspace"), ROUTES) as found:
        yield found


@pytest.fixture
def server(shop, databases, windmill, query):
    port = shop.on(databases).rpartition(":")[2]
    settings = {
        "origins": [f"http://shop.example:{port}", f"http://127.0.0.1:{port}"],
        "privacy_url": "https://shop.example/privacy",
        "greeting": "Hi, I am **Nora**.",
    }
    query("update channels set settings = %s where kind = 'web'", json.dumps(settings))
    return f"http://shop.example:{port}/shop"


@pytest.fixture
def visit(browser, server):
    """visit(query, ...) opens the shop's page in a browser of its own."""
    tabs = []

    def open_tab(query: str = "", is_open: bool = True, **options) -> Tab:
        tab = Tab(browser, f"{server}?{query}", **options)
        tabs.append(tab)
        tab.until("chat && chat.querySelector('.notice').textContent")
        if is_open:
            tab.run("chat.querySelector('.launcher').click()")
        return tab

    yield open_tab
    for tab in tabs:
        tab.close()


@pytest.fixture
def connected(owner, monkeypatch, capsys):
    """connected(kind, api, *options, **secrets) -> what the command printed."""

    def run(kind: str, api, *options: str, **changed) -> str:
        given = {**SECRETS[kind], "sealing_key": SEALING_KEY, **changed}
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(given)))
        given_options = ["--public-url", PUBLIC, "--api-url", api.base_url, *options]
        add(owner, parse(["add", kind, *given_options]))
        return capsys.readouterr().out

    return run


@pytest.fixture
def channel(conn, query, connected):
    """channel(kind, api) connects it and answers its account, the demo's out of the way."""

    def find(kind: str, api) -> accounts.Account:
        query("update channels set is_active = false")
        connected(kind, api)
        if kind == "twilio":
            [(url,)] = query("select webhook_url from channels where kind = 'twilio'")
            webhook = {"callback_url": f"{url}#rc=3&rp=all"}
            api.senders = [
                {"sender_id": "whatsapp:+14155238886", "status": "ONLINE", "webhook": webhook}
            ]
        [account] = accounts.active(conn, SEALING_KEY)
        return account

    return find
