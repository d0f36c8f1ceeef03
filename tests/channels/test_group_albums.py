"""Pictures that were sent together are one question, whichever of them is for us."""

import time

from tests.channels.telegram_group import show, shown


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
