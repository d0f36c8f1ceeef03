"""A contact's tokens: renewed by one turn, never lost; where they end for good, asked for again."""

from functools import partial
from types import SimpleNamespace

import pytest

pytest.importorskip("mcp", reason="mcp is installed by ./chatmill")

import f.agent.contact_authority as contact_authority
import f.agent.oauth as oauth
import f.chat.turns as turns
from f.agent.approved_tool import approved_tools
from f.agent.contact_authority import ContactAuthority
from f.agent.oauth_terms import read_terms
from f.shared.db import connect
from f.shared.errors import SignInNeeded, UpstreamRefused
from tests.chat.sign_in.words import ASK, code_in, link_in
from tests.chat.tools import AWAY
from tests.conftest import CHATBOT_ID, ORGANIZATION_ID, SEALING_KEY
from tests.db.locks import ask, wait_until_blocked
from tests.scripted_model import says


def test_tokens_that_end_are_renewed(say, asked, come_back, server):
    server.seconds = 1
    _, words = come_back(server.sign_in(asked(), "ada"))

    say(code_in(words), ASK, says("Here."))

    assert [one["grant_type"] for one in server.exchanged][1] == "refresh_token"
    assert server.called == [("ada", {"number": "7"})]


def test_tokens_that_were_revoked_lead_to_a_new_link(say, asked, come_back, server, query):
    _, words = come_back(server.sign_in(asked(), "ada"))
    say(code_in(words), ASK, says("Here."))
    server.end_everything()

    link_in(say("And now?", ASK, says("Here.")))

    assert len(server.called) == 1
    assert query("select count(*) from contact_tokens") == [(0,)]


def test_a_token_that_ends_without_a_word_is_renewed(say, asked, come_back, server):
    server.seconds = None
    _, words = come_back(server.sign_in(asked(), "ada"))
    say(code_in(words), ASK, says("Here."))
    server.end_tokens()

    assert say("And now?", ASK, says("Still here.")) == "Still here."
    assert server.called == [("ada", {"number": "7"})] * 2


@pytest.fixture
def authority(database, query):
    """authority() -> a turn's own look at the contact's tokens, in connections of its own."""

    def begin():
        ((turn_id, contact_id, fence),) = query(
            "select turns.id::text, contact_id::text, fence from turns"
            " join conversations on conversations.id = turns.conversation_id"
            " join conversation_work using (conversation_id) order by turns.created_at desc limit 1"
        )
        open_transaction = partial(turns.transaction, database, turn_id, fence)
        context = SimpleNamespace(
            open_transaction=open_transaction,
            open_any=partial(connect, database),
            organization_id=ORGANIZATION_ID,
            contact_id=contact_id,
            turn_id=turn_id,
            sign_in_request="{server} {link}",
            sealing_key=SEALING_KEY,
        )
        with open_transaction() as conn:
            (tool,) = approved_tools(conn, CHATBOT_ID)
        return ContactAuthority(tool, context)

    return begin


@pytest.fixture
def signed_in(say, asked, come_back, server):
    """A contact with tokens that end at once and are good for one renewal each."""
    server.seconds = 1
    _, words = come_back(server.sign_in(asked(), "ada"))
    say(code_in(words), ASK, says("Here."))


def test_of_two_turns_that_renew_at_once_the_second_takes_what_the_first_got(
    signed_in, authority, query, monkeypatch
):
    slow, quick, refresh = authority(), authority(), oauth.refresh
    first = []

    def refresh_after_the_other(*terms):
        monkeypatch.setattr(oauth, "refresh", refresh)
        first.append(quick.token())
        return refresh(*terms)

    monkeypatch.setattr(oauth, "refresh", refresh_after_the_other)

    second = slow.token()

    assert [second] == first
    assert query("select count(*) from contact_tokens") == [(1,)]
    assert query("select state from sign_ins") == [("confirmed",)]


def test_a_renewal_that_is_kept_a_moment_later_is_waited_for(
    signed_in, authority, query, monkeypatch
):
    slow, quick, refresh = authority(), authority(), oauth.refresh

    def refuse(*terms):
        raise UpstreamRefused("it was used before")

    def sleep(seconds):
        if seconds:
            monkeypatch.setattr(oauth, "refresh", refresh)
            quick.token()

    monkeypatch.setattr(oauth, "refresh", refuse)
    monkeypatch.setattr(contact_authority, "time", SimpleNamespace(sleep=sleep))

    assert slow.token()
    assert query("select count(*) from contact_tokens") == [(1,)]


def test_who_was_refused_forgets_no_tokens_but_those_that_they_read(signed_in, authority, query):
    slow, quick = authority(), authority()
    slow.token()
    kept = quick.token()

    error = slow.asked()

    assert isinstance(error, SignInNeeded)
    assert query("select count(*) from contact_tokens") == [(1,)]
    assert kept


def test_a_token_that_another_turn_renewed_is_taken_as_it_is(signed_in, authority, server):
    slow, quick = authority(), authority()
    slow.token()
    server.seconds = 3600
    renewed = quick.token()
    exchanged = len(server.exchanged)

    assert slow.token_after_refusal() == renewed
    assert len(server.exchanged) == exchanged


TAKE_ROW = "select sealed_tokens from contact_tokens for update"
REPLACE_ROW = "update contact_tokens set sealed_tokens = 'newer' returning sealed_tokens"
CUT_WAITING = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
 where pg_backend_pid() = any(pg_blocking_pids(pid))
"""


def test_renewed_tokens_outlive_a_connection_that_is_lost(
    signed_in, authority, server, other, later, monkeypatch
):
    monkeypatch.setattr("f.shared.db.PAUSES_SECONDS", (0, 0))
    server.seconds = 3600
    ask(other, TAKE_ROW)

    renewing = later(authority().token)
    wait_until_blocked(other)
    assert ask(other, CUT_WAITING) == (1,)
    other.commit()

    assert renewing.result() == authority().token()
    assert [one["grant_type"] for one in server.exchanged].count("refresh_token") == 2


def test_newer_tokens_are_not_overwritten_by_renewed_ones(
    signed_in, authority, query, other, later
):
    ask(other, REPLACE_ROW)

    renewing = later(authority().token)
    wait_until_blocked(other)
    other.commit()

    assert renewing.result()
    assert query("select sealed_tokens from contact_tokens") == [("newer",)]


def test_tokens_that_are_renewed_while_the_turn_is_lost_are_kept(
    signed_in, authority, server, query, monkeypatch
):
    server.seconds = 3600
    refresh = oauth.refresh

    def refresh_and_lose_the_turn(*terms):
        query("update conversation_work set fence = fence + 1")
        return refresh(*terms)

    monkeypatch.setattr(oauth, "refresh", refresh_and_lose_the_turn)

    assert authority().token() == authority().token()


@pytest.fixture
def asked_for_yes(say, asked, come_back, server, query):
    """A contact who signed in, and whom a tool that changes something needs a yes of."""
    _, words = come_back(server.sign_in(asked(), "ada"))
    query("update tools set class = 'write'")
    say(code_in(words), ASK, says("Sure?"))


def test_m16_who_is_signed_out_since_a_change_is_told_of_it(
    asked_for_yes, taken_up_again, server, query
):
    sign_out, anew = partial(query, "delete from contact_tokens"), [says("It is done.")]

    taken_up_again("yes", [ASK, *AWAY], sign_out, anew)

    assert last_reply(query) == "It is done."
    assert len(server.called) == 1


def test_m16_a_link_that_was_lost_with_its_worker_is_offered_again(
    asked_for_yes, taken_up_again, come_back, server, query
):
    server.end_everything()

    taken_up_again("yes", [ASK, *AWAY], anew=[says("One moment.")])

    status, _ = come_back(server.sign_in(link_in(last_reply(query)), "ada"))
    assert status == 200
    assert query("select state from tool_effects") == [("needs_sign_in",)]
    assert server.called == []


def test_m16_a_worker_that_is_lost_while_it_asks_them_to_sign_in_has_changed_nothing(
    asked_for_yes, taken_up_again, server, query, monkeypatch
):
    server.end_everything()
    monkeypatch.setattr(contact_authority, "read_terms", killed_once(read_terms))

    taken_up_again("yes", [ASK], anew=[says("One moment.")])

    assert link_in(last_reply(query))
    assert query("select state from tool_effects") == [("needs_sign_in",)]
    assert server.called == []


def test_m16_a_worker_that_is_lost_while_it_renews_their_token_has_changed_nothing(
    asked_for_yes, taken_up_again, server, query, monkeypatch
):
    server.end_tokens()
    monkeypatch.setattr(oauth, "refresh", killed_once(oauth.refresh))

    taken_up_again("yes", [ASK], anew=[says("It is done.")])

    assert last_reply(query) == "It is done."
    assert query("select state from tool_effects") == [("done",)]
    assert server.called == [("ada", {"number": "7"})]


def killed_once(function):
    """The same, but the process ends where it is called first."""
    is_first = iter([True])

    def run(*arguments):
        if next(is_first, False):
            raise KeyboardInterrupt
        return function(*arguments)

    return run


def last_reply(query) -> str:
    ((body,),) = query(
        "select body from outbound_messages where turn_id = ("
        " select id from turns order by created_at desc limit 1)"
    )
    return body
