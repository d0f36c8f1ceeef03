"""Contacts who sign in at an MCP server: in a turn, over real TLS, until they are signed out."""

import pytest
import yaml

pytest.importorskip("mcp", reason="mcp is installed by ./chatmill")

import f.agent.oauth as oauth
import f.agent.sign_ins as sign_ins
from f.chat import finish_sign_in
from f.ops.sweep_conversations import forget_sign_ins
from f.shared.db import connect
from f.shared.errors import UpstreamDown
from local.places import ROOT
from local.tool_sign_ins import callback_at, enter_client, sign_out
from tests.chat.sign_in.sign_in_server import CALLBACK, ISSUER, MCP_URL
from tests.chat.sign_in.words import ASK, code_in, link_in
from tests.chat.tools import STATUS, approve
from tests.conftest import ORGANIZATION_ID, SEALING_KEY
from tests.scripted_model import calls, says


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


def test_who_says_no_is_told_in_the_chatbots_words(asked, come_back, server):
    back = server.sign_in(asked(), "ada")
    refused = {"error": "access_denied", "state": back["state"], "iss": back["iss"]}

    status, words = come_back(refused)

    assert status == 400 and "denied" not in words
    assert server.exchanged == []


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
