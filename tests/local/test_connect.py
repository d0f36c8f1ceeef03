"""./chatmill connect: what it seals is what the engine opens."""

import pytest

import f.channels.accounts as accounts
from local.connect import connect
from local.errors import CannotRun
from tests.conftest import SEALING_KEY

GIVEN = {
    "sealing_key": SEALING_KEY,
    "app_secret": "app",
    "verify_token": "verify",
    "access_token": "access",
}


def test_sealed_credentials_are_opened_by_the_webhooks_account(owner, conn, query):
    connect(owner, "demo-whatsapp", GIVEN)

    account = accounts.by_url_key(conn, SEALING_KEY, "demo-whatsapp")

    assert account.credentials["app_secret"] == "app"
    assert "app" not in query("select sealed_credentials from channels where kind = 'web'")
    assert "access" not in repr(account)


def test_a_channel_that_is_not_there_is_said_so(owner):
    with pytest.raises(CannotRun, match="add its row first"):
        connect(owner, "nobody-here", GIVEN)


def test_a_key_of_the_wrong_form_is_said_so(owner):
    with pytest.raises(CannotRun, match="openssl rand"):
        connect(owner, "demo-whatsapp", {**GIVEN, "sealing_key": "short"})
