"""The stand-ins hold a sender to the vendor's rates and window, in the vendor's codes."""

import pytest

from f.channels.messages import Recipient
from f.channels.registry import library
from f.shared.errors import UpstreamBusy, WindowClosed
from local.graph_api import GraphApi
from local.messenger_api import MessengerApi
from local.telegram_api import TelegramApi
from local.twilio_api import TwilioApi
from tests.channels.vendors import CREDENTIALS

STAND_INS = {
    "whatsapp": ("100", "15550001", lambda: GraphApi("EAAtoken", ["100"])),
    "messenger": ("1", "9", lambda: MessengerApi("EAAtoken", "app secret", ["1"])),
    "telegram": ("4242", "5", lambda: TelegramApi("4242:AAbottoken")),
    "twilio": (
        "14155238886",
        "5511900000001",
        lambda: TwilioApi("AC1", "twilio token", "14155238886"),
    ),
}
REFERENCE = "0e000000-0000-4000-8000-000000000001"


@pytest.fixture
def vendor(request):
    account_id, contact, stand_in = STAND_INS[request.param]
    with stand_in() as api:
        credentials = {"account_id": account_id, "api_url": api.base_url}
        credentials |= CREDENTIALS[request.param]

        def send(to=contact, text="Hi"):
            channel = library(request.param)
            return channel.send_text(credentials, Recipient(to), text, REFERENCE)

        yield api, contact, send


def _each(*kinds):
    return pytest.mark.parametrize("vendor", kinds, indirect=True)


@pytest.mark.parametrize(
    ("vendor", "burst", "code"),
    [("whatsapp", 45, "131056"), ("telegram", 3, "429"), ("twilio", 45, "63018")],
    indirect=["vendor"],
)
def test_too_many_messages_to_one_contact_are_refused_for_a_while(vendor, burst, code):
    api, _, send = vendor
    api.keeps_rates = True
    for _ in range(burst):
        send()

    with pytest.raises(UpstreamBusy) as refused:
        send()

    assert refused.value.code == code
    assert len(api.accepted) == burst


@pytest.mark.parametrize(
    ("vendor", "code"),
    [("whatsapp", "130429"), ("messenger", "613"), ("telegram", "429"), ("twilio", "20429")],
    indirect=["vendor"],
)
def test_too_many_messages_of_one_account_are_refused_for_a_while(vendor, code):
    api, contact, send = vendor
    api.keeps_rates, api.account_rate = True, (0.001, 2)
    send(contact)
    send(f"{contact}1")

    with pytest.raises(UpstreamBusy) as refused:
        send(f"{contact}2")

    assert refused.value.code == code


@_each("telegram")
def test_telegram_says_in_its_answer_how_long_to_wait(vendor):
    api, _, send = vendor
    api.keeps_rates, api.pair_rate = True, (0.001, 0)

    with pytest.raises(UpstreamBusy) as refused:
        send()

    assert refused.value.retry_after_seconds == 1


@_each("telegram")
def test_a_group_on_telegram_is_sent_twenty_messages_in_a_minute(vendor):
    api, _, send = vendor
    api.keeps_rates, api.pair_rate = True, (1, 100)
    for _ in range(20):
        send("-1005")

    with pytest.raises(UpstreamBusy) as refused:
        send("-1005")

    assert 50 < refused.value.retry_after_seconds <= 60
    ours = library("telegram").RULES.group
    assert ours.burst + 60 * ours.per_second <= 20, "in no minute do we send more"


@_each("whatsapp", "messenger", "twilio")
def test_a_day_after_the_contacts_last_words_free_text_is_refused(vendor):
    api, contact, send = vendor
    name = f"whatsapp:+{contact}" if isinstance(api, TwilioApi) else contact
    api.wrote(name)
    send()
    api.wrote(name, seconds_ago=25 * 3600)

    with pytest.raises(WindowClosed):
        send()


def test_a_template_passes_whatsapps_closed_window():
    with GraphApi("EAAtoken", ["100"]) as api:
        api.wrote("15550001", seconds_ago=25 * 3600)
        credentials = {**CREDENTIALS["whatsapp"], "account_id": "100", "api_url": api.base_url}
        template = {"name": "hello", "language": "en"}

        library("whatsapp").send_template(credentials, Recipient("15550001"), template, REFERENCE)

    assert [one.text for one in api.accepted] == ["[template hello]"]


@_each("telegram")
def test_a_message_to_a_group_that_moved_goes_where_it_is_now(vendor):
    api, _, send = vendor
    api.moved[-7] = -1007

    assert send("-7").startswith("-1007:")
    assert [one.to for one in api.accepted] == ["-1007"]
