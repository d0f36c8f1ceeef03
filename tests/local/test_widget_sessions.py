"""The widget's session in a real browser: tabs, lost connections, what is left behind."""

import hmac
from urllib.parse import quote

import pytest

from tests.local.browser import PROGRAM
from tests.local.shop_page import SENT, lines, picture
from tests.local.web_chat import SECRET, answered, with_secret

pytestmark = pytest.mark.skipif(not PROGRAM, reason="no Chromium here: apt-get install chromium")


def test_without_a_connection_messages_wait_and_are_sent_once(visit, query):
    tab = visit()
    tab.say("First")
    tab.until(SENT)
    tab.offline(True)
    tab.say("Second")
    tab.until("!chat.querySelector('.banner').hidden")
    tab.until("chat.querySelector('.state')?.textContent === 'Not sent yet'")
    picture(tab, "offline")

    tab.offline(False)
    tab.run("dispatchEvent(new Event('online'))")

    tab.until("!chat.querySelector('.mine .state')")
    assert query("select body from inbound_messages order by id") == [("First",), ("Second",)]
    assert lines(tab)[1:] == ["First", "Second"]


def test_where_streams_are_held_back_it_polls(visit, query):
    tab = visit()
    tab.call("Network.setBlockedURLs", urls=["*/events"])
    tab.say("Hello")
    tab.until(SENT)

    answered(query, "Hi!")

    tab.until("chat.querySelector('.chatbot:nth-last-child(1)')?.innerText.includes('Hi!')")


def test_a_page_that_is_loaded_again_shows_the_conversation_and_sends_what_was_left(visit, query):
    tab = visit()
    tab.say("First")
    tab.until(SENT)
    tab.offline(True)
    tab.say("Second")
    tab.until("chat.querySelectorAll('.mine').length === 2")
    tab.offline(False)

    tab.call("Page.reload")

    tab.until("chat && chat.querySelectorAll('.mine').length === 2")
    tab.until("!chat.querySelector('.mine .state')")
    assert sorted(lines(tab)[1:]) == ["First", "Second"]
    assert query("select count(*) from inbound_messages") == [(2,)]


def test_two_tabs_of_one_visitor_are_one_chat(visit, query):
    first = visit()
    second = visit(beside=first)
    first.say("Do you ship to Malta?")
    first.until(SENT)

    second.say("And to Gozo?")
    second.until(SENT)

    second.until("chat.querySelectorAll('.mine').length === 2")
    first.until("chat.querySelectorAll('.mine').length === 2")
    assert query("select count(*) from contacts") == [(1,)]
    first.call("Page.reload")
    first.until("chat && chat.querySelectorAll('.mine').length === 2")


def test_a_chat_that_was_deleted_in_one_tab_begins_anew_in_the_other(visit, query):
    first = visit()
    first.say("My number is 4111")
    first.until(SENT)
    second = visit(beside=first)
    second.until("chat.querySelectorAll('.mine').length === 1")
    first.run("chat.querySelector('header .icon').click()")
    first.run("chat.querySelector('.danger').click()")
    second.until("chat.querySelector('.log').innerText.includes('new chat begins')")
    assert "4111" not in second.text()

    second.say("Hello")
    second.until(SENT)
    answered(query, "Hi!")

    second.until("chat.querySelector('.chatbot:nth-last-child(1)')?.innerText.includes('Hi!')")
    assert query("select body from inbound_messages") == [("Hello",)]


def hide(tab, is_hidden: bool) -> None:
    """As a browser does with a tab in the background: nothing is listened to there."""
    tab.run(
        f"Object.defineProperty(document, 'hidden', {{value: {str(is_hidden).lower()},"
        " configurable: true}); document.dispatchEvent(new Event('visibilitychange'))"
    )


def test_a_tab_that_slept_while_a_new_chat_was_begun_goes_on_with_that(visit, query):
    first = visit()
    first.say("First")
    first.until(SENT)
    second = visit(beside=first)
    second.until("chat.querySelectorAll('.mine').length === 1")
    hide(second, True)
    query("update web_sessions set expires_at = now()")
    first.say("Anew")
    first.until(f"{SENT} && chat.querySelectorAll('.mine').length === 2")

    second.say("From the other tab")
    second.until(SENT)

    assert query("select count(*) from web_sessions") == [(2,)]
    first.until("chat.querySelectorAll('.mine').length === 3")
    hide(second, False)
    second.until("chat.querySelector('.log').innerText.includes('Anew')")


def test_a_session_that_ends_ends_once_whatever_was_asked_with_it(visit, query):
    tab = visit()
    tab.say("First")
    tab.until(SENT)
    hide(tab, True)
    query("update inbound_messages set state = 'answered'")
    query("update web_sessions set expires_at = now()")
    tab.run(
        "window.held = {}; held.until = new Promise((go) => { held.go = go });"
        " const fetched = window.fetch; window.fetch = async (url, sent) => {"
        " const answer = await fetched(url, sent);"
        " if (sent?.method === 'POST' && !answer.ok) await held.until; return answer }"
    )
    tab.say("Second")

    hide(tab, False)  # it listens, and is told before the message is
    tab.until("chat.querySelector('.log').innerText.includes('new chat begins')")
    tab.run("held.go()")
    tab.until("chat.querySelectorAll('.mine').length === 2 && !chat.querySelector('.mine .state')")

    assert tab.run("return chat.querySelectorAll('.event').length") == 1
    answered(query, "Hi!")
    tab.until("chat.querySelector('.chatbot:nth-last-child(1)')?.innerText.includes('Hi!')")


def test_who_logs_out_leaves_no_chat_behind_for_the_next(visit, query):
    with_secret(query)
    digest = hmac.new(SECRET.encode(), b"visitor:ada", "sha256").hexdigest()
    ada = quote(f'data-identifier="ada" data-identifier-hash="{digest}"')
    tab = visit(f"more={ada}")
    tab.say("My order is 4711")
    tab.until(SENT)

    tab.call("Page.navigate", url=tab.run("return location.href.split('?')[0]"))
    tab.until("chat && chat.querySelector('.notice').textContent && !location.search")

    assert lines(tab) == ["Hi, I am Nora."]
    assert query("select contact_key like 'person:%%' from contacts") == [(True,)]
    tab.run("chat.querySelector('.launcher').click()")
    tab.say("Hello")
    tab.until(SENT)
    assert query("select count(*) from contacts") == [(2,)]


def test_a_chat_is_deleted_after_one_question(visit, query):
    tab = visit()
    tab.say("My number is 4111")
    tab.until(SENT)
    tab.run("chat.querySelector('header .icon').click()")
    picture(tab, "delete")

    tab.run("chat.querySelector('.danger').click()")

    tab.until("chat.querySelector('.log').innerText.includes('was deleted')")
    assert "4111" not in tab.text()
    assert query("select count(*) from contacts") == [(0,)]
    assert tab.run("return localStorage.length") == 0
