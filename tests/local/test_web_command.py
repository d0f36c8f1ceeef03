"""./chatmill web beside Windmill, and what connecting a web chat prints."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

import f.channels.accounts as accounts
from f.channels.checks import Problem
from f.channels.web import check
from local.channel import add, parse
from local.errors import CannotRun
from local.places import ROOT
from local.web_command import windmill_settings
from tests.conftest import SEALING_KEY
from tests.local.web_chat import Page, serving

PUBLIC = "https://chat.example.com"


@pytest.fixture
def gateway(windmill, databases):
    """Its process, on a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    names = {"WINDMILL_URL": "BASE_INTERNAL_URL", "WINDMILL_WORKSPACE": "WM_WORKSPACE",
             "WINDMILL_TOKEN": "WM_TOKEN"}  # fmt: skip
    environment = {**os.environ, **{ours: os.environ[theirs] for ours, theirs in names.items()}}
    command = [sys.executable, "-m", "local", "web", "--port", address.rpartition(":")[2]]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    process.stdout.readline()
    wait_for(address)
    yield address
    process.terminate()
    process.wait(10)
    process.stdout.close()


def wait_for(address: str) -> None:
    host, port = address.split(":")
    for _ in range(200):
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.05)


def test_beside_windmill_a_message_is_stored_here_and_its_flow_started_there(
    gateway, query, windmill
):
    page = Page(gateway, origin=None)
    page.start()

    answer = page.say("$var:f/chat/sealing_key")

    assert answer.status == 202
    assert query("select body from inbound_messages") == [("$var:f/chat/sealing_key",)]
    assert [path for path, _, _ in windmill.started] == ["f/chat/answer_message"]
    with urllib.request.urlopen(f"http://{gateway}/health") as health:
        assert health.status == 200


def test_without_windmill_it_says_what_is_missing():
    with pytest.raises(CannotRun, match="WINDMILL_TOKEN"):
        windmill_settings({"WINDMILL_URL": "http://x", "WINDMILL_WORKSPACE": "w"})


@pytest.fixture
def connected(owner, capsys, monkeypatch):
    """connected(option, ...) -> what `channel add web` printed."""
    monkeypatch.setattr("local.channel.read_credentials", lambda kind: {"sealing_key": SEALING_KEY})

    def run(*options: str) -> str:
        add(owner, parse(["add", "web", "--public-url", PUBLIC, *options]))
        return capsys.readouterr().out

    return run


def test_a_web_chat_is_connected_and_its_tag_and_secret_printed_once(connected, conn, query):
    printed = connected("--origins", "shop.example,*.shop.example", "--accent", "#123456")

    [(url_key,)] = query("select url_key from channels where name = 'web'")
    account = accounts.by_url_key(conn, SEALING_KEY, url_key)
    tag = f'<script src="{PUBLIC}/widget.js" data-embed-key="{url_key}" async></script>'
    assert tag in printed and account.credentials["identity_secret"] in printed
    assert account.settings == {"origins": ["shop.example", "*.shop.example"], "accent": "#123456"}
    assert account.credentials["webhook_url"] == f"{PUBLIC}/api/web/{url_key}"
    [(sealed,)] = query("select sealed_credentials from channels where url_key = %s", url_key)
    assert account.credentials["identity_secret"] not in sealed


def test_an_embed_key_can_be_given_to_a_command_whatever_it_begins_with(
    connected, query, monkeypatch
):
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: "-" * size)

    connected()

    [(key,)] = query("select url_key from channels where name = 'web'")
    assert key.isalnum()
    connected("--embed-key", key, "--title", "Help")


def test_what_is_given_later_changes_that_and_nothing_else(connected, conn, query):
    connected("--origins", "shop.example", "--title", "Ask us")
    [(key,)] = query("select url_key from channels where name = 'web'")
    before = accounts.by_url_key(conn, SEALING_KEY, key)

    connected("--embed-key", key, "--title", "Help")

    after = accounts.by_url_key(conn, SEALING_KEY, key)
    assert after.settings == {"origins": ["shop.example"], "title": "Help"}
    assert after.credentials == before.credentials


@pytest.mark.parametrize(
    "options",
    [
        ("--origins", "https://shop.example/page"),
        ("--origins", "*"),
        ("--accent", "red"),
        ("--privacy-url", "javascript:alert(1)"),
        ("--embed-key", "nobody-here"),
    ],
)
def test_what_can_not_be_is_refused_before_anything_is_kept(connected, query, options):
    with pytest.raises(CannotRun):
        connected(*options)

    assert query("select count(*) from channels") == [(2,)]


def test_a_chat_that_cannot_be_reached_or_embedded_is_said_so(databases, query, tmp_path):
    def problems(url: str | None) -> list[str]:
        return [problem.code for problem in check({"webhook_url": url})]

    with serving(tmp_path) as served:
        here = f"http://{served.on(databases)}/api/web/demo-web-chat"
        assert problems(here) == ["no_origins"]
        query("""update channels set settings = '{"origins": ["shop.example"]}'""")
        assert problems(here) == []
    assert problems("http://127.0.0.1:9/api/web/x") == ["web_chat_unreachable"]
    assert problems(None) == ["no_webhook_url"]
    assert Problem("web_chat_unreachable").sentence
