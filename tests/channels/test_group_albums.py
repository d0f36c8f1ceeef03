"""Pictures that were sent together are one question, whichever of them is for us."""

import json
import time

import pytest

import f.channels.accounts as accounts
import f.channels.inbox as inbox
from f.channels import telegram
from f.channels.messages import Request
from f.shared.db import connect
from tests.channels.telegram_group import GROUP, mention, picture, say, show, shown
from tests.channels.webhooks import reply_taken_as
from tests.conftest import SEALING_KEY


def test_the_pictures_after_the_one_that_names_us_are_of_the_same_question(query, bot):
    show(caption="@AcmeHelpBot which is better?")
    show()
    show()

    assert shown(query) == ["which is better?", "[image]", "[image]"]
    assert query("select count(*), count(distinct album_id) from inbound_messages") == [(3, 1)]
    assert query("select count(*) from conversations") == [(1,)]


def test_the_pictures_before_the_one_that_names_us_are_taken_with_it(query, bot):
    now = int(time.time())
    show(date=now)
    show(caption="And in blue?", date=now)
    assert shown(query) == []

    show(caption="@AcmeHelpBot which is better?", date=now)

    assert shown(query) == ["[image]", "And in blue?", "which is better?"]


def test_pictures_of_others_and_of_other_albums_stay_chatter(query, bot):
    show(sender=2)
    show(album="14")
    show(caption="@AcmeHelpBot which is better?")
    show(sender=2)
    show(album="14")

    assert shown(query) == ["which is better?"]


def test_an_album_that_is_brought_again_is_there_once(query, bot):
    for _ in range(2):
        show(message_id=1001)
        show(message_id=1002, caption="@AcmeHelpBot which is better?")

    assert shown(query) == ["[image]", "which is better?"]


@pytest.mark.parametrize("caption", ["", "And these?"])
def test_an_album_of_which_a_later_picture_answers_us_is_taken_whole(query, bot, caption):
    say("@AcmeHelpBot hours?", entities=mention("@AcmeHelpBot"))
    reply_taken_as(query, f"{GROUP}:500")
    show()
    show(caption=caption, reply_to_message={"message_id": 500})
    show()

    assert shown(query) == ["hours?", "[image]", caption or "[image]", "[image]"]


@pytest.mark.parametrize("is_first_for_us", [False, True])
def test_pictures_whose_webhooks_overlap_are_of_one_question(
    databases, query, bot, later, is_first_for_us
):
    captions = ["@AcmeHelpBot which is better?", ""]
    first, second = captions if is_first_for_us else captions[::-1]
    with connect(databases["f/channels/ingress_database"]) as conn:
        _accept(conn, picture(caption=first))
        overlapping = later(show, caption=second)
        time.sleep(0.3)
    overlapping.result(10)

    assert sorted(shown(query)) == ["[image]", "which is better?"]


def _accept(conn, update: dict) -> None:
    """What its webhook does, up to the commit."""
    body = json.dumps(update)
    account = accounts.by_url_key(conn, SEALING_KEY, "telegram-4242")
    delivery_id = inbox.receive(conn, account, body)
    deliveries = telegram.parse(Request(body.encode()))
    inbox.accept(conn, SEALING_KEY, account, delivery_id, deliveries)
