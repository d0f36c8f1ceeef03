"""Contacts who sign in at an MCP server: in a turn, over real TLS, and what attackers try."""

import re
from functools import partial
from types import SimpleNamespace

import pytest
import yaml

pytest.importorskip("mcp", reason="mcp is installed by ./chatmill")

import f.agent.contact_authority as contact_authority
import f.agent.oauth as oauth
import f.agent.sign_ins as sign_ins
import f.chat.turns as turns
import f.shared.safe_call as safe_call
from f.agent.approved_tool import approved_tools
from f.agent.contact_authority import ContactAuthority
from f.agent.oauth_terms import read_terms
from f.chat import finish_sign_in, load_turn, run_agent
from f.ops.sweep_conversations import forget_sign_ins
from f.shared.crypto import open_sealed
from f.shared.db import connect
from f.shared.errors import Misconfigured, SignInNeeded, UpstreamDown, UpstreamRefused
from local.places import ROOT
from local.tool_sign_ins import callback_at, enter_client, sign_out
from tests.chat.sign_in_server import CALLBACK, ISSUER, MCP_URL, PUBLIC, Reach, SignInServer
from tests.chat.tools import MODEL, STATUS, approve
from tests.conftest import CHATBOT_ID, ORGANIZATION_ID, SEALING_KEY
from tests.db.test_races import ask, wait_until_blocked
from tests.scripted_model import calls, says

ASK = calls("shop__status", number="7")
EVE = "15559999"


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    found = SignInServer(tmp_path_factory.mktemp("tls"))
    yield found
    found.server.clear()
    found.server.stop()


@pytest.fixture
def server(stand_in, monkeypatch):
    monkeypatch.setattr(safe_call, "INTERNET", Reach(stand_in))
    stand_in.begin()
    return stand_in


@pytest.fixture
def shop(server, query):
    """A tool that is called for the contact, who is not known there yet."""
    server_id = query(
        "insert into tool_servers (organization_id, name, url, callback_url)"
        " values (%s, 'shop', %s, %s) returning id::text",
        ORGANIZATION_ID,
        MCP_URL,
        CALLBACK,
    )[0][0]

    def add(class_="read"):
        approve(
            query, class_, "mcp", STATUS, "status", pinned_hash=None, bindings={},
            server_id=server_id, name="shop__status",
        )  # fmt: skip

    add()
    return SimpleNamespace(server_id=server_id)


@pytest.fixture
def asked(say, shop):
    """asked() -> the link that a contact who asks for the tool is sent."""

    def run(contact_key="15550001"):
        return link_in(say("Where is 7?", ASK, says("One moment."), contact_key=contact_key))

    return run


@pytest.fixture
def come_back(database):
    """What the browser is shown: (status, words)."""

    def run(query):
        shown = finish_sign_in.finish(database, SEALING_KEY, query)
        return shown.status_code, shown.text

    return run


def link_in(text):
    return re.search(r"https://\S+", text)[0]


def code_in(text):
    return re.search(r"[A-Z2-9]{5}-[A-Z2-9]{5}", text)[0]


def test_a_contact_signs_in_once_and_their_own_rights_are_used(
    say, asked, come_back, server, query, model
):
    status, words = come_back(server.sign_in(asked(), "ada"))
    told = say(code_in(words), ASK, says("It is on its way."))
    again = say("And now?", ASK, says("Still on its way."))

    assert status == 200
    assert (told, again) == ("It is on its way.", "Still on its way.")
    assert server.called == [("ada", {"number": "7"})] * 2
    assert [one["grant_type"] for one in server.exchanged] == ["authorization_code"]
    answered = model.requests[2]["messages"][-1]
    assert answered == {"role": "user", "content": "Where is 7?"}
    kept = query("select * from sign_ins") + query("select * from contact_tokens")
    assert "canary" not in f"{kept} {model.requests}"


def test_a_code_may_stand_beside_other_words_and_be_typed_as_one_likes(
    say, asked, come_back, server, model
):
    _, words = come_back(server.sign_in(asked(), "ada"))

    say(f"thanks\n{code_in(words).replace('-', ' ').lower()}", ASK, says("Here."))

    assert server.called == [("ada", {"number": "7"})]
    assert model.requests[-1]["messages"][-3]["content"] == "thanks\nWhere is 7?"


def test_before_that_the_contact_is_sent_a_link_and_nothing_is_called(asked, server, query):
    link = asked()

    assert link.startswith("https://media.example/authorize?")
    assert server.called == []
    assert query("select state from sign_ins") == [("asked",)]


def test_what_changes_something_asks_who_it_is_before_it_asks_for_a_yes(say, shop, server, query):
    query("update tools set class = 'write'")

    link_in(say("Do it with 7", ASK, says("Done.")))

    assert query("select count(*) from tool_confirmations") == [(0,)]
    assert server.called == []


def test_m11_a_yes_of_before_the_question_that_a_code_brings_back_is_none(
    say, asked, come_back, server, query, windmill
):
    approve(query)  # a script that cancels an order
    link = link_in(say("yes", ASK, says("One moment.")))
    cancel = calls("cancel_order", number="12")
    assert "number: 12" in say("Cancel order 12", cancel, says("Sure?"))
    _, words = come_back(server.sign_in(link, "ada"))

    say(code_in(words), cancel, says("I have cancelled it."))

    assert windmill.scripts == []


def test_a_question_that_needs_two_servers_is_kept_over_both_codes(
    say, shop, come_back, server, query, model
):
    first = link_in(say("Where is 7?", ASK, says("One moment.")))
    _, words = come_back(server.sign_in(first, "ada"))
    query(
        "insert into tool_servers (organization_id, name, url, callback_url)"
        " values (%s, 'depot', %s, %s)", ORGANIZATION_ID, MCP_URL, CALLBACK,
    )  # fmt: skip
    ((depot,),) = query("select id::text from tool_servers where name = 'depot'")
    approve(
        query, "read", "mcp", STATUS, "status", pinned_hash=None, bindings={},
        server_id=depot, name="depot__status",
    )  # fmt: skip
    needs_both = (ASK, calls("depot__status", number="7"), says("One moment."))
    second = link_in(say(code_in(words), *needs_both))
    _, words = come_back(server.sign_in(second, "ada"))

    say(code_in(words), says("Here."))

    assert model.requests[-1]["messages"][-1]["content"] == "Where is 7?"


def test_another_contacts_code_is_only_words(say, asked, come_back, server, query):
    _, words = come_back(server.sign_in(asked(), "ada"))

    say(code_in(words), says("Pardon?"), contact_key=EVE)

    assert query("select count(*) from contact_tokens") == [(0,)]


def test_whoever_is_talked_into_opening_anothers_link_gives_nothing_away(
    say, asked, come_back, server, query
):
    come_back(server.sign_in(asked(contact_key=EVE), "ada"))  # Eve sent Ada her link

    link_in(say("Where is 7?", ASK, says("One moment."), contact_key=EVE))

    assert server.called == []
    assert query("select count(*) from contact_tokens") == [(0,)]


def test_a_state_is_good_for_once(asked, come_back, server):
    back = server.sign_in(asked(), "ada")
    come_back(back)

    again = come_back(back)
    with_another_code = come_back(
        {**server.sign_in(asked("15550002"), "eve"), **{"state": back["state"]}}
    )

    assert again[0] == with_another_code[0] == 400
    assert len(server.exchanged) == 1


def test_an_old_link_is_refused(asked, come_back, server, query):
    back = server.sign_in(asked(), "ada")
    query("update sign_ins set expires_at = now() - interval '1 second'")

    assert come_back(back)[0] == 400
    assert server.exchanged == []


def test_an_old_code_is_only_words(say, asked, come_back, server, query):
    _, words = come_back(server.sign_in(asked(), "ada"))
    query("update sign_ins set expires_at = now() - interval '1 second'")

    say(code_in(words), says("Pardon?"))

    assert query("select count(*) from contact_tokens") == [(0,)]


@pytest.mark.parametrize("iss", ["https://evil.example", "", None])
def test_a_code_of_another_authorization_server_is_not_taken_to_ours(asked, come_back, server, iss):
    back = {**server.sign_in(asked(), "ada"), "iss": iss}

    assert come_back({k: v for k, v in back.items() if v is not None})[0] == 400
    assert server.exchanged == []


@pytest.mark.parametrize("query", [{}, {"state": "x"}, {"state": ["a"]}, {"state": "\0"}])
def test_a_state_that_is_none_is_refused(come_back, windmill, query):
    assert come_back(query)[0] == 400


def test_who_says_no_is_told_in_the_chatbots_words(asked, come_back, server):
    back = server.sign_in(asked(), "ada")
    refused = {"error": "access_denied", "state": back["state"], "iss": back["iss"]}

    status, words = come_back(refused)

    assert status == 400 and "denied" not in words
    assert server.exchanged == []


def test_a_contact_can_only_be_sent_back_to_us(asked, server):
    with pytest.raises(PermissionError):
        server.sign_in(asked(), "ada", redirect_uri="https://evil.example/")


def test_the_code_and_the_verifier_follow_no_redirect(asked, come_back, server):
    back = server.sign_in(asked(), "ada")
    server.redirects_to = "https://evil.example/token"

    assert come_back(back)[0] == 502
    assert server.hosts == {"shop.example", "media.example"}


def test_a_stolen_code_is_worth_nothing_without_our_verifier(asked, come_back, server, query):
    stolen = server.sign_in(asked(), "ada")["code"]
    own = server.sign_in(asked(contact_key=EVE), "eve")

    assert come_back({**own, "code": stolen})[0] == 502
    assert query("select count(*) from contact_tokens") == [(0,)]


def test_m13_tokens_open_for_their_contact_and_server_only(say, asked, come_back, server, query):
    _, words = come_back(server.sign_in(asked(), "ada"))
    say(code_in(words), ASK, says("Here."))
    ((sealed,),) = query("select sealed_tokens from contact_tokens")

    with pytest.raises(Misconfigured):
        open_sealed(SEALING_KEY, sealed, "contact_tokens.sealed_tokens:another")


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


def test_what_a_sign_in_brought_outlives_a_write_whose_answer_is_lost(
    say, asked, come_back, server, monkeypatch
):
    monkeypatch.setattr("f.shared.db.PAUSES_SECONDS", (0,))
    keep, is_answer_lost = sign_ins.keep, iter([True, False])

    def keep_and_lose_the_answer(conn, *kept):
        written = keep(conn, *kept)
        if next(is_answer_lost):
            conn.commit()
            raise UpstreamDown("nobody knows whether it came through")
        return written

    monkeypatch.setattr(sign_ins, "keep", keep_and_lose_the_answer)

    status, words = come_back(server.sign_in(asked(), "ada"))

    assert status == 200
    assert say(code_in(words), ASK, says("Here.")) == "Here."


def test_m16_who_is_signed_out_since_a_change_is_told_of_it(
    say, asked, come_back, server, query, database, arrive, model
):
    _, words = come_back(server.sign_in(asked(), "ada"))
    query("update tools set class = 'write'")
    say(code_in(words), ASK, says("Sure?"))
    model.will(ASK, *[503] * 3)
    _, conversation_id, _ = arrive("yes")
    turn = load_turn.main(database, MODEL, conversation_id)
    with pytest.raises(UpstreamDown):
        run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
    query("delete from model_breakers")
    query("delete from contact_tokens")
    model.will(says("It is done."))

    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    assert ("It is done.",) in query("select body from outbound_messages")
    assert len(server.called) == 1


@pytest.fixture
def taken_up_again(say, asked, come_back, server, query, database, arrive, model):
    """taken_up_again(between) -> what the contact reads. Their yes was used, the server took their
    token no more, and the worker was lost before it had committed what they are asked."""

    def run(between=lambda: None):
        _, words = come_back(server.sign_in(asked(), "ada"))
        query("update tools set class = 'write'")
        say(code_in(words), ASK, says("Sure?"))
        server.end_everything()
        model.will(ASK, *[503] * 3)
        _, conversation_id, _ = arrive("yes")
        turn = load_turn.main(database, MODEL, conversation_id)
        with pytest.raises(UpstreamDown):
            run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
        query("delete from model_breakers")
        between()
        model.will(says("One moment."))
        run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
        return query("select body from outbound_messages where turn_id = %s", turn["turn_id"])

    return run


def test_m16_a_link_that_was_lost_with_its_worker_is_offered_again(
    taken_up_again, come_back, server, query
):
    ((asked_again,),) = taken_up_again()

    status, _ = come_back(server.sign_in(link_in(asked_again), "ada"))
    assert status == 200
    assert query("select state from tool_effects") == [("needs_sign_in",)]
    assert server.called == []


def test_a_contacts_call_is_never_made_with_the_organizations_token(say, shop, server, query):
    query("update tool_servers set sealed_token = 'never opened'")

    link_in(say("Where is 7?", ASK, says("One moment.")))

    assert server.called == []


def test_another_authorization_server_than_before_is_refused_and_told(say, asked, server, query):
    asked()
    server.resource["authorization_servers"] = ["https://shop.example"]
    server.metadata["issuer"] = "https://shop.example"

    told = say("And now?", ASK, says("I can't see that."))

    assert told == "I can't see that."
    assert query("select code from alerts") == [("sign_in_refused",)]


@pytest.mark.parametrize(
    "spoiled",
    [
        {"authorization_endpoint": "javascript:alert(1)//https://a.example"},
        {"authorization_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": "http://media.example/authorize"},
        {"authorization_endpoint": "https://10.0.0.1/authorize"},
        {"authorization_endpoint": "https://localhost/authorize"},
        {"authorization_endpoint": "https://a@media.example/authorize"},
        {"authorization_endpoint": None},
        {"token_endpoint": "https://169.254.169.254/token"},
        {"token_endpoint": "https://auth.internal/token"},
        {"registration_endpoint": "https://127.0.0.1/register"},
        {"issuer": "https://evil.example"},
        {"issuer": "https://media.example/"},
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": None},
        {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
    ],
)
def test_m12_what_an_authorization_server_tells_is_not_believed(server, spoiled):
    server.metadata |= spoiled

    with pytest.raises(UpstreamRefused):
        read_terms(MCP_URL)

    assert set(safe_call.INTERNET.opened) == {PUBLIC}


@pytest.mark.parametrize(
    "spoiled",
    [
        {"resource": "https://evil.example/mcp"},
        {"resource": "https://shop.example/mcp2"},
        {"resource": None},
        {"resource": "https://["},
        {"authorization_servers": ["javascript:alert(1)"]},
        {"authorization_servers": ["https://192.168.0.1"]},
        {"authorization_servers": ["https://media.example?x=/../"]},
        {"authorization_servers": []},
    ],
)
def test_m12_what_a_server_tells_of_itself_is_not_believed(server, spoiled):
    server.resource |= spoiled

    with pytest.raises(UpstreamRefused):
        read_terms(MCP_URL)


def test_m12_a_refusal_reaches_the_operator_and_no_contact_gets_a_link(say, shop, server, query):
    server.metadata["authorization_endpoint"] = "javascript:alert(1)"

    assert say("Where is 7?", ASK, says("I can't see that.")) == "I can't see that."

    assert query("select code from alerts") == [("sign_in_refused",)]
    assert query("select count(*) from sign_ins") == [(0,)]


def test_a_name_that_is_too_long_for_us_ends_no_turn(say, shop, server, query):
    server.client_id_bytes = 4000

    assert say("Where is 7?", ASK, says("I can't see that.")) == "I can't see that."

    assert query("select code from alerts") == [("sign_in_refused",)]


def test_a_client_that_an_operator_entered_is_used(owner, say, shop, server):
    server.metadata["registration_endpoint"] = None
    enter_client(owner, SEALING_KEY, "shop", ISSUER, "ours", "")

    link = link_in(say("Where is 7?", ASK, says("One moment.")))

    assert "client_id=ours&" in link


def test_who_is_signed_out_signs_in_anew(owner, say, asked, come_back, server, query):
    _, words = come_back(server.sign_in(asked(), "ada"))
    say(code_in(words), ASK, says("Here."))

    assert sign_out(owner, SEALING_KEY, "shop", "15559999") == (0, 0)
    assert sign_out(owner, SEALING_KEY, "shop", "15550001") == (1, 1)
    assert len(server.revoked) == 1
    link_in(say("And now?", ASK, says("Here.")))


def test_who_is_signed_out_before_they_wrote_the_code_stays_out(
    owner, say, asked, come_back, server, query
):
    _, words = come_back(server.sign_in(asked(), "ada"))

    assert sign_out(owner, SEALING_KEY, "shop", None) == (1, 1)
    say(code_in(words), says("Pardon?"))

    assert len(server.revoked) == 1
    assert query("select count(*) from contact_tokens") == [(0,)]
    assert query("select count(*) from sign_ins") == [(0,)]


def test_who_is_signed_out_while_the_browser_comes_back_is_told_so(
    owner, asked, come_back, server, query, monkeypatch
):
    exchange = oauth.exchange

    def exchange_and_sign_out(*terms):
        query("delete from sign_ins")
        return exchange(*terms)

    monkeypatch.setattr(oauth, "exchange", exchange_and_sign_out)

    status, _ = come_back(server.sign_in(asked(), "ada"))

    assert status == 400


AGES = [
    ("asked", "9 minutes", 1),
    ("asked", "11 minutes", 0),
    ("signed_in", "11 minutes", 0),
    ("confirmed", "23 hours", 1),
    ("confirmed", "25 hours", 0),
]


@pytest.mark.parametrize(("state", "age", "left"), AGES)
def test_what_no_contact_came_back_for_is_forgotten_by_the_sweep(
    asked, query, operations_database, state, age, left
):
    asked()
    query("update sign_ins set state = %s, expires_at = now() - %s::interval", state, age)

    with connect(operations_database) as conn:
        forgotten = forget_sign_ins(conn)

    assert forgotten == 1 - left
    assert query("select count(*) from sign_ins") == [(left,)]


def test_contacts_come_back_to_a_route_that_there_is():
    trigger = yaml.safe_load((ROOT / "f/chat/finish_sign_in.http_trigger.yaml").read_text())

    assert callback_at("https://chat.example/") == CALLBACK
    assert CALLBACK.endswith(f"/api/r/{trigger['route_path']}")


def test_the_route_shows_the_code_and_keeps_it_out_of_caches(windmill, asked, server):
    shown = finish_sign_in.main(
        **finish_sign_in.preprocessor({"query": server.sign_in(asked(), "ada")})
    )

    assert shown["windmill_status_code"] == 200
    assert code_in(shown["result"])
    assert shown["windmill_headers"]["cache-control"] == "no-store"
