"""./chatmill channel: what it connects is checked at the vendor, and what is wrong is said."""

import io
import json
from dataclasses import replace

import pytest

import f.channels.accounts as accounts
from f.ops import check_channels
from local import installation
from local.channel import add, parse, problems_of
from local.errors import CannotRun
from local.graph_api import GraphApi
from local.graph_checks import Refusal
from local.messenger_api import MessengerApi
from local.reach import failing_step
from local.secrets_file import drawn
from local.telegram_api import TelegramApi
from local.twilio_api import TwilioApi
from tests.conftest import CHANNEL_ID, ORGANIZATION_ID, SEALING_KEY

PUBLIC = "https://bot.example.com"
SECRETS = {
    "telegram": {"bot_token": "4242:AAtoken"},
    "whatsapp": {
        **{"account_id": "100", "waba_id": "300"},
        **{"app_secret": "AAsecret", "access_token": "EAAtoken"},
    },
    "messenger": {
        **{"account_id": "1", "app_id": "77"},
        **{"app_secret": "AAsecret", "access_token": "EAAtoken"},
    },
    "twilio": {"account_id": "+14155238886", "account_sid": "AC1", "auth_token": "AAtoken"},
}
STAND_INS = {
    "telegram": lambda: TelegramApi("4242:AAtoken", "acme_bot"),
    "whatsapp": lambda: GraphApi("EAAtoken", ["100"]),
    "messenger": lambda: MessengerApi("EAAtoken", "AAsecret", ["1"]),
    "twilio": lambda: TwilioApi("AC1", "AAtoken", "14155238886"),
}


@pytest.fixture(params=sorted(STAND_INS))
def vendor(request):
    with STAND_INS[request.param]() as api:
        yield request.param, api


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


def test_a_permission_that_is_missing_is_told_from_a_wrong_token(channel):
    with STAND_INS["whatsapp"]() as api:
        account = channel("whatsapp", api)
        api.will_fail(Refusal(403, 200, "(#200) Requires permission").reply())

        assert [one.code for one in problems_of(account)] == ["permission_missing"]


def test_connecting_a_number_subscribes_the_app_to_its_whatsapp_business_account(connected):
    with STAND_INS["whatsapp"]() as api:
        connected("whatsapp", api)

    assert api.subscribed_apps == {"77"}


@pytest.mark.parametrize("app_id", [None, "77"])
def test_a_number_whose_account_sends_us_nothing_is_said_so(channel, app_id):
    with STAND_INS["whatsapp"]() as api:
        account = channel("whatsapp", api)
        account.credentials["app_id"] = app_id
        api.subscribed_apps = {"another app's"} if app_id else set()

        [problem] = problems_of(account)

    assert problem.code == "not_subscribed"
    assert "WhatsApp Business account 300" in problem.sentence


def test_a_number_that_was_connected_without_its_account_is_asked_for_it(channel):
    with STAND_INS["whatsapp"]() as api:
        account = channel("whatsapp", api)
        del account.credentials["waba_id"]

        assert [one.code for one in problems_of(account)] == ["waba_unknown"]


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


def test_a_number_that_is_of_another_account_now_is_said_so(channel):
    with STAND_INS["whatsapp"]() as api:
        account = channel("whatsapp", api)
        api.business_accounts = {"300": ["101"], "400": ["100"]}

        [problem] = problems_of(account)

    assert problem.code == "waba_of_others"
    assert "WhatsApp Business account 300" in problem.sentence


def test_a_number_is_looked_for_on_every_page_of_its_account(channel):
    with STAND_INS["whatsapp"]() as api:
        account = channel("whatsapp", api)
        api.business_accounts["300"] = [*map(str, range(1000, 1350)), "100"]

        assert problems_of(account) == []


@pytest.mark.parametrize("url", ["bot.example.com", "https://", "https://a b", "https://a/?x=1"])
def test_an_address_that_is_none_is_said_so(owner, url):
    with pytest.raises(CannotRun, match="--public-url"):
        add(owner, parse(["add", "web", "--public-url", url]))


def test_each_trouble_of_a_channel_has_its_own_sentence(channel):
    with STAND_INS["telegram"]() as api:
        account = channel("telegram", api)
        api.webhook["url"] = "https://elsewhere.example"
        api.webhook["allowed_updates"] = ["message"]
        api.pending, api.last_error = 7, "Connection refused"

        problems = problems_of(account)

    assert [problem.code for problem in problems] == [
        *("webhook_elsewhere", "fields_missing", "webhook_failing"),
    ]
    assert "Connection refused" in problems[2].sentence


def test_w20_a_sender_of_twilio_without_retry_is_named_with_what_to_change(channel):
    with STAND_INS["twilio"]() as api:
        account = channel("twilio", api)
        url = api.senders[0]["webhook"]["callback_url"].partition("#")[0]
        api.senders[0]["webhook"]["callback_url"] = url

        [problem] = problems_of(account)

    assert "#rc=3&rp=all" in problem.sentence


def test_a_vendor_that_cannot_be_reached_is_told_from_one_that_refuses(channel):
    with STAND_INS["telegram"]() as api:
        account = channel("telegram", api)
    nobody = {**account.credentials, "api_url": "http://127.0.0.1:9"}

    [problem] = problems_of(replace(account, credentials=nobody))

    assert "TCP: no connection" in problem.sentence
    assert "DNS" in failing_step("https://no-such-host.invalid")


def test_tls_that_is_none_is_said_so():
    with STAND_INS["telegram"]() as api:
        assert failing_step(api.base_url.replace("http:", "https:")).startswith("TLS")


def test_the_schedule_raises_an_alert_for_each_trouble(query, operations_database, channel):
    with STAND_INS["telegram"]() as api:
        channel("telegram", api)
        api.webhook = {}
        result = check_channels.main(operations_database, SEALING_KEY)

    assert result == {"channels": 1, "problems": 1, "silent": 0}
    assert query("select code, summary like '%%not_subscribed%%' from alerts") == [
        ("channel_broken", True)
    ]


def test_credentials_of_another_sealing_key_are_a_trouble_and_stop_nobody(
    query, operations_database
):
    query("update channels set sealed_credentials = 'bm9uc2Vuc2U=' where kind = 'whatsapp'")

    result = check_channels.main(operations_database, SEALING_KEY)

    assert result["problems"] == 1


@pytest.mark.parametrize(("usual", "silent"), [(9, 0), (10, 1)])
def test_w19_a_channel_that_falls_silent_at_a_busy_hour_is_noticed(
    query, operations_database, arrive, usual, silent
):
    for number in range(usual * 7):
        arrive(message_id=f"wamid.{number}")
    query(
        "update inbound_messages set received_at ="
        " now() - make_interval(days => 1 + (id % 7)::integer, mins => 30)"
    )
    query("update channels set is_active = (id = %s)", CHANNEL_ID)

    result = check_channels.main(operations_database, SEALING_KEY)

    assert (result["silent"] > 0) is bool(silent)
    assert query("select count(*) from alerts where code = 'channel_silent'") == [(silent,)]
