"""Our own web chat: which websites are let in, who is who, and what becomes of a post."""

import hashlib
import hmac
import json
import time

import jwt
import pytest

from f.channels.messages import InboundMessage, Recipient, Request, WebhookRefused
from f.channels.web import delivered, handshake, parse, send_text, split_text, verify
from f.channels.web_identity import Person, prove
from f.channels.web_origins import is_allowed
from f.channels.web_posts import Posted, file_name, read_start

PATTERNS = ["shop.example", "*.shop.example", "http://localhost:5173", "[::1]:8443", 7]
KEY = "demo-web-chat"
SECRET = "visitor-secret-of-the-organization-" + "s" * 40
MESSAGE_ID = "6a1f2c3d-0000-4000-8000-00000000000a"


@pytest.mark.parametrize(
    "origin",
    [
        *("https://shop.example", "https://help.shop.example", "https://a.b.shop.example"),
        *("http://localhost:5173", "https://shop.example:443", "https://SHOP.example"),
        "https://[::1]:8443",
    ],
)
def test_websites_that_the_organization_named_are_let_in(origin):
    assert is_allowed(origin, PATTERNS)


@pytest.mark.parametrize(
    "origin",
    [
        *("null", "", "https://evil.example", "https://shop.example.attacker.net"),
        *("https://notshop.example", "http://shop.example", "https://shop.example:8443"),
        *("https://shop.example@evil.example", "https://.shop.example", "http://localhost"),
        *("https://shop.example/", "https://shop.example evil.example", "ftp://shop.example"),
        *("https://shop.example\n", "https://shop_example", "https://xn--shop.example.evil"),
    ],
)
def test_other_websites_are_refused(origin):
    assert not is_allowed(origin, PATTERNS)


def test_a_star_is_for_names_below_and_never_for_all():
    assert not is_allowed("https://evil.example", ["*", "*.", "*.*", "https://*"])
    assert not is_allowed("https://shop.example", ["*.shop.example"])


def hash_of(identifier: str) -> str:
    return hmac.new(SECRET.encode(), f"visitor:{identifier}".encode(), hashlib.sha256).hexdigest()


def token(secret=SECRET, algorithm="HS256", **changed) -> str:
    claims = {"sub": "ada", "aud": KEY, "exp": time.time() + 600, "name": "Ada", **changed}
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, secret, algorithm=algorithm)


def test_a_token_and_a_hash_of_the_organizations_server_are_the_same_person():
    by_token = prove({"token": token()}, SECRET, KEY)
    by_hash = prove({"identifier": "ada", "identifier_hash": hash_of("ada")}, SECRET, KEY)

    assert by_token == Person(by_hash.key, "Ada")
    assert "ada" not in by_hash.key


def test_a_token_may_write_its_end_as_text():
    assert prove({"token": token(exp=str(int(time.time()) + 600))}, SECRET, KEY).name == "Ada"


def test_a_name_that_nobody_signed_is_not_taken():
    claimed = {"identifier": "ada", "identifier_hash": hash_of("ada"), "name": "Eve"}

    assert prove(claimed, SECRET, KEY).name is None


@pytest.mark.parametrize(
    "identity",
    [
        {"identifier": "ada"},
        {"identifier": "ada", "identifier_hash": ""},
        {"identifier": "ada", "identifier_hash": hash_of("eve")},
        {"identifier": "", "identifier_hash": hash_of("")},
        {"identifier": ["ada"], "identifier_hash": hash_of("ada")},
        {"identifier": "a" * 300, "identifier_hash": hash_of("a" * 300)},
        {"email": "ada@shop.example"},
        {"token": token(secret="o" * 64)},
        {"token": token(secret="", algorithm="none")},
        {"token": token(algorithm="HS512")},
        {"token": token(aud="another-chat")},
        {"token": token(aud=None)},
        {"token": token(exp=time.time() - 60)},
        {"token": token(exp=None)},
        {"token": token(exp=time.time() + 86_400)},
        {"token": token(exp=str(int(time.time()) + 86_400))},
        {"token": token(sub=None)},
        {"token": "x.y.z"},
        {"token": None},
    ],
    ids=lambda identity: str(identity)[:60],
)
def test_who_cannot_prove_who_they_are_is_refused(identity):
    with pytest.raises(WebhookRefused) as refused:
        prove(identity, SECRET, KEY)

    assert (refused.value.status, refused.value.code) == (403, "identity_refused")


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_nobody_can_be_somebody(secret):
    unsealed = hmac.new(b"", b"ada", hashlib.sha256).hexdigest()

    with pytest.raises(WebhookRefused):
        prove({"identifier": "ada", "identifier_hash": unsealed}, secret, KEY)


def test_who_claims_nothing_is_nobody_in_particular():
    assert prove({}, SECRET, KEY) is None


def test_a_post_is_read_from_the_inbox_as_it_was_taken_in():
    stored = delivered("session:1", Posted(MESSAGE_ID, "Do you ship to Malta?", None), None)

    [delivery] = parse(Request(stored))

    assert delivery.items == [
        InboundMessage(
            provider_message_id=f"session:1:{MESSAGE_ID}",
            contact_key="session:1",
            kind="text",
            text="Do you ship to Malta?",
        )
    ]


def test_what_is_posted_to_the_vendors_route_is_refused_whatever_it_says():
    with pytest.raises(WebhookRefused) as refused:
        verify(Request(b"{}"), {})

    assert (refused.value.status, refused.value.code) == (404, "web_chat_elsewhere")


def test_a_reply_is_sent_by_being_stored():
    assert send_text({}, Recipient("session:1"), "Yes.", "reference-1") == "reference-1"
    assert split_text("Yes.") == ["Yes."]


def test_there_is_no_handshake():
    with pytest.raises(WebhookRefused) as refused:
        handshake({}, {})

    assert refused.value.status == 405


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("offer.pdf", "offer.pdf"),
        ("%C3%A9t%C3%A9.png", "été.png"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a%00%0Ab%7F.txt", "a_b_.txt"),
        ("%FF", "\ufffd"),
        ("%E2%80%AEfdp.exe", "_fdp.exe"),
        ("", "file"),
        ("...", "file"),
    ],
)
def test_a_files_name_is_fit_to_be_shown_and_saved(header, name):
    assert file_name(header) == name


@pytest.mark.parametrize(
    ("said", "language"), [("pt-BR", "pt"), ("DE", "de"), ("x", None), ("<b>", None), (7, None)]
)
def test_a_pages_language_is_a_code_or_nothing(said, language):

    assert read_start(json.dumps({"language": said}).encode()).language == language
