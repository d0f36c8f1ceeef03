"""What attackers try where a contact signs in: contacts, websites and the servers themselves."""

import pytest

pytest.importorskip("mcp", reason="mcp is installed by ./chatmill")

import f.shared.safe_call as safe_call
from f.agent.oauth_terms import read_terms
from f.shared.crypto import open_sealed
from f.shared.errors import Misconfigured, UpstreamRefused
from tests.chat.sign_in.sign_in_server import MCP_URL, PUBLIC
from tests.chat.sign_in.words import ASK, EVE, code_in, link_in
from tests.conftest import SEALING_KEY
from tests.scripted_model import says


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
