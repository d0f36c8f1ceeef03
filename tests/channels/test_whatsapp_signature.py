"""Who may post a WhatsApp webhook, and who may finish the handshake."""

import hashlib
import hmac

import pytest

from f.channels.messages import Request, WebhookRefused
from f.channels.whatsapp import handshake, verify

SECRET = "an app secret of the tests"
BODY = rb'{"text":"M\u00fcsli \/ \ud83e\udd63"}'
DIGEST = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()

SIGNED = {"x-hub-signature-256": f"sha256={DIGEST}"}
FORGED = {
    "missing": {},
    "empty": {"x-hub-signature-256": ""},
    "without prefix": {"x-hub-signature-256": DIGEST},
    "upper case": {"x-hub-signature-256": f"sha256={DIGEST.upper()}"},
    "upper-case prefix": {"x-hub-signature-256": f"SHA256={DIGEST}"},
    "truncated": {"x-hub-signature-256": f"sha256={DIGEST[:-1]}"},
    "too long": {"x-hub-signature-256": f"sha256={DIGEST}0"},
    "trailing newline": {"x-hub-signature-256": f"sha256={DIGEST}\n"},
    "one digit off": {
        "x-hub-signature-256": f"sha256={DIGEST[:-1]}{'0' if DIGEST[-1] != '0' else '1'}"
    },
    "not ASCII": {"x-hub-signature-256": "sha256=" + "é" * 64},
    "of an empty secret": {
        "x-hub-signature-256": f"sha256={hmac.new(b'', BODY, hashlib.sha256).hexdigest()}"
    },
    "of another secret": {
        "x-hub-signature-256": f"sha256={hmac.new(b'other', BODY, hashlib.sha256).hexdigest()}"
    },
    "SHA-1 alone": {
        "x-hub-signature": f"sha1={hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest()}"
    },
}


def test_a_body_signed_with_the_app_secret_passes():
    verify(Request(BODY, {"x-hub-signature-256": f"sha256={DIGEST}"}), {"app_secret": SECRET})


@pytest.mark.parametrize("forgery", FORGED)
def test_w05_a_forged_signature_is_refused(forgery):
    with pytest.raises(WebhookRefused) as refused:
        verify(Request(BODY, FORGED[forgery]), {"app_secret": SECRET})

    assert (refused.value.status, refused.value.code) == (401, "signature_wrong")


@pytest.mark.parametrize("changed", [BODY + b" ", BODY.replace(rb"\/", b"/"), "Müsli 🥣".encode()])
def test_w09_a_signature_holds_for_the_very_bytes_only(changed):
    with pytest.raises(WebhookRefused):
        verify(
            Request(changed, {"x-hub-signature-256": f"sha256={DIGEST}"}), {"app_secret": SECRET}
        )


@pytest.mark.parametrize("credentials", [{}, {"app_secret": ""}, {"app_secret": None}])
def test_w07_a_channel_without_a_secret_accepts_nothing(credentials):
    of_empty = hmac.new(b"", BODY, hashlib.sha256).hexdigest()

    with pytest.raises(WebhookRefused) as refused:
        verify(Request(BODY, {"x-hub-signature-256": f"sha256={of_empty}"}), credentials)

    assert (refused.value.status, refused.value.code) == (503, "secret_missing")


def test_the_handshake_gives_the_challenge_back_as_it_came():
    query = _query(**{"hub.challenge": "1158201444"})

    assert handshake(query, {"verify_token": "ours"}) == "1158201444"


@pytest.mark.parametrize(
    "changed",
    [
        {"hub.verify_token": "theirs"},
        {"hub.verify_token": "OURS"},
        {"hub.verify_token": "öürs"},
        {"hub.verify_token": None},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": None},
        {"hub.challenge": None},
    ],
)
def test_w15_a_wrong_handshake_is_refused(changed):
    with pytest.raises(WebhookRefused) as refused:
        handshake(_query(**changed), {"verify_token": "ours"})

    assert (refused.value.status, refused.value.code) == (403, "handshake_refused")


@pytest.mark.parametrize("credentials", [{}, {"verify_token": ""}])
def test_a_channel_without_a_verify_token_refuses_even_an_empty_one(credentials):
    with pytest.raises(WebhookRefused):
        handshake(_query(**{"hub.verify_token": ""}), credentials)


def _query(**changed) -> dict:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "ours"}
    return {key: value for key, value in (query | changed).items() if value is not None}
