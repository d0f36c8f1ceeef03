"""./chatmill channel: what it connects is checked at the vendor, and what is wrong is said."""

import pytest

from local import installation
from local.channel import add, parse, problems_of
from local.errors import CannotRun
from local.secrets_file import drawn
from tests.conftest import ORGANIZATION_ID
from tests.local.vendor_accounts import PUBLIC, SECRETS, STAND_INS


@pytest.fixture(params=sorted(STAND_INS))
def vendor(request):
    with STAND_INS[request.param]() as api:
        yield request.param, api


def test_a_channel_is_connected_with_its_secrets_sealed(query, vendor, connected):
    kind, api = vendor

    printed = connected(kind, api)

    [(url, sealed)] = query(
        "select webhook_url, sealed_credentials from channels where kind = %s and webhook_url"
        " is not null",
        kind,
    )
    assert url.startswith(f"{PUBLIC}/api/r/chatmill/") and url in printed
    secrets = [one for name, one in SECRETS[kind].items() if name.endswith(("token", "secret"))]
    assert not [one for one in secrets if one in f"{sealed}{printed}"]


def test_what_was_connected_is_fine_at_the_vendor(vendor, channel):
    kind, api = vendor

    assert problems_of(channel(kind, api)) == []


def test_the_demos_stand_in_takes_no_channel_that_was_connected(owner, query, connected):
    with STAND_INS["whatsapp"]() as api:
        connected("whatsapp", api)
        own = (
            "select sealed_credentials, api_url, webhook_url from channels where account_id = '100'"
        )
        before = query(own)
        installation.connect_channels(owner, ORGANIZATION_ID, drawn(), "http://127.0.0.1:9")

    assert query(own) == before


def test_connecting_again_renews_the_credentials_and_keeps_the_address(query, connected):
    with STAND_INS["telegram"]() as api:
        connected("telegram", api)
        before = query("select id, url_key from channels where kind = 'telegram'")
        connected("telegram", api)

    assert query("select id, url_key from channels where kind = 'telegram'") == before


def test_a_bot_is_called_by_its_own_name_beside_those_that_are_given(query, connected):
    with STAND_INS["telegram"]() as api:
        connected("telegram", api, "--names", "Acme, helper", "--name", "Shop")
        connected("telegram", api)

    assert query("select name, settings->'names' from channels where kind = 'telegram'") == [
        ("Shop", ["acme_bot", "Acme", "helper"])
    ]


def test_an_account_does_not_seem_to_move_to_another_chatbot(query, connected):
    with STAND_INS["telegram"]() as api:
        connected("telegram", api)
        query(
            "insert into chatbots (organization_id, name, instructions, unknown_reply)"
            " select organization_id, 'Another', instructions, unknown_reply from chatbots"
        )
        with pytest.raises(CannotRun, match="another chatbot"):
            connected("telegram", api, "--chatbot", "Another")


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("telegram", {"bot_token": "4242:AAwrong"}),
        ("whatsapp", {"access_token": "EAAwrong"}),
        ("messenger", {"access_token": "EAAwrong"}),
        ("twilio", {"auth_token": "AAwrong"}),
    ],
)
def test_credentials_that_the_vendor_refuses_are_not_kept(query, connected, kind, wrong):
    with STAND_INS[kind]() as api, pytest.raises(CannotRun, match="refuses the token") as refused:
        connected(kind, api, **wrong)

    assert "AAwrong" not in str(refused.value)
    assert query("select count(*) from channels") == [(2,)]


def test_an_account_that_the_token_is_not_for_is_told_from_a_wrong_token(connected):
    with STAND_INS["whatsapp"]() as api, pytest.raises(CannotRun, match="not for this account"):
        connected("whatsapp", api, account_id="999")


def test_connecting_a_number_subscribes_the_app_to_its_whatsapp_business_account(connected):
    with STAND_INS["whatsapp"]() as api:
        connected("whatsapp", api)

    assert api.subscribed_apps == {"77"}


def test_an_account_that_the_token_does_not_see_is_told_from_a_wrong_token(query, connected):
    with STAND_INS["whatsapp"]() as api, pytest.raises(CannotRun) as refused:
        connected("whatsapp", api, waba_id="999")

    assert "not for this account" in str(refused.value)
    assert "WhatsApp Business account 999" in str(refused.value)
    assert query("select count(*) from channels") == [(2,)]


def test_an_account_of_other_numbers_is_neither_kept_nor_subscribed(query, connected):
    with STAND_INS["whatsapp"]() as api, pytest.raises(CannotRun, match="not of the WhatsApp Bus"):
        api.business_accounts["400"] = ["101", "102"]
        connected("whatsapp", api, waba_id="400")

    assert api.subscribed_apps == set()
    assert query("select count(*) from channels") == [(2,)]


@pytest.mark.parametrize("url", ["bot.example.com", "https://", "https://a b", "https://a/?x=1"])
def test_an_address_that_is_none_is_said_so(owner, url):
    with pytest.raises(CannotRun, match="--public-url"):
        add(owner, parse(["add", "web", "--public-url", url]))
