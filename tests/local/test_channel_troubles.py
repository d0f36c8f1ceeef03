"""What is wrong with a connected account is said in words, and the schedule tells of it."""

from dataclasses import replace

import pytest

import f.channels.registry as registry
from f.ops import check_channels
from f.shared.errors import UpstreamRefused
from local.channel import problems_of
from local.graph_checks import Refusal
from local.reach import failing_step
from tests.conftest import CHANNEL_ID, SEALING_KEY
from tests.local.vendor_accounts import STAND_INS


def test_a_permission_that_is_missing_is_told_from_a_wrong_token(channel):
    with STAND_INS["whatsapp"]() as api:
        account = channel("whatsapp", api)
        api.will_fail(Refusal(403, 200, "(#200) Requires permission").reply())

        assert [one.code for one in problems_of(account)] == ["permission_missing"]


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


def test_an_address_at_a_port_that_telegram_does_not_post_to_is_refused_in_its_words(channel):
    with STAND_INS["telegram"]() as api:
        account = channel("telegram", api)
        elsewhere = account.credentials | {"webhook_url": "https://bot.example.com:9443/api"}

        with pytest.raises(UpstreamRefused, match="only on ports 80, 88, 443 or 8443"):
            registry.library("telegram").subscribe(elsewhere)


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
