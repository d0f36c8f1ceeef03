"""Whom an HTTP trigger lets in."""

import base64
import hashlib
import hmac

import pytest

from runner.authentication import (
    AuthenticationMisconfigured,
    Credentials,
    Refused,
    authenticate,
)

BODY = b'{"text": "caf\xc3\xa9"}'
GITHUB = {"signature_provider": "Github", "secret_key": "s3cret"}


def credentials(resource=None, body=BODY, **headers) -> Credentials:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Credentials(names, body, resource, "token-1")


def github_signature(body: bytes, secret: str = "s3cret") -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def custom(**changes) -> dict:
    config = {
        "algorithm": "sha512",
        "encoding": "base64",
        "signature_header_name": "X-Sign",
        "signature_prefix": "",
    }
    return {
        "signature_provider": "Custom",
        "secret_key": "s3cret",
        "authentication_config": {**config, **changes},
    }


def test_a_signature_over_exactly_these_bytes_passes():
    authenticate("signature", credentials(GITHUB, x_hub_signature_256=github_signature(BODY)))


@pytest.mark.parametrize(
    "signature",
    [
        github_signature(BODY + b" "),
        github_signature(BODY, "other"),
        github_signature(BODY).removeprefix("sha256="),
        github_signature(BODY).upper(),
        github_signature(BODY) + "00",
        "",
        "sha256=é",
    ],
)
def test_any_other_signature_is_refused(signature):
    with pytest.raises(Refused) as refusal:
        authenticate("signature", credentials(GITHUB, x_hub_signature_256=signature))

    assert (refusal.value.status, refusal.value.error) == (401, "signature invalid")


def test_a_missing_signature_is_a_bad_request():
    with pytest.raises(Refused) as refusal:
        authenticate("signature", credentials(GITHUB))

    assert refusal.value.status == 400
    assert refusal.value.error == "missing header X-Hub-Signature-256"


def test_a_custom_signature_names_its_own_algorithm_and_encoding():
    digest = hmac.new(b"s3cret", BODY, hashlib.sha512).digest()

    authenticate("signature", credentials(custom(), x_sign=base64.b64encode(digest).decode()))


@pytest.mark.parametrize(
    ("method", "resource"),
    [
        ("signature", {**GITHUB, "secret_key": ""}),
        ("signature", {**GITHUB, "signature_provider": "Slack"}),
        ("signature", custom(algorithm="md5")),
        ("signature", {**custom(), "authentication_config": None}),
        ("api_key", {"api_key_header": "X-Key", "api_key_secret": ""}),
        ("api_key", {"api_key_header": "X-Key"}),
        ("basic_http", {"username": "u", "password": None}),
        ("basic_http", None),
    ],
)
def test_an_unset_secret_lets_nobody_in(method, resource):
    shown = credentials(resource, x_hub_signature_256="", x_sign="", x_key="")

    with pytest.raises(AuthenticationMisconfigured):
        authenticate(method, shown)


def test_an_api_key_is_compared_with_its_header():
    resource = {"api_key_header": "X-Telegram-Bot-Api-Secret-Token", "api_key_secret": "tg"}
    authenticate("api_key", credentials(resource, x_telegram_bot_api_secret_token="tg"))

    for headers in ({}, {"x_telegram_bot_api_secret_token": "no"}):
        with pytest.raises(Refused):
            authenticate("api_key", credentials(resource, **headers))


def test_basic_credentials_are_compared_whole():
    resource = {"username": "u", "password": "p"}
    authenticate("basic_http", credentials(resource, authorization="Basic dTpw"))

    for shown in ("", "Basic dTp4", "dTpw", "Bearer token-1"):
        with pytest.raises(Refused):
            authenticate("basic_http", credentials(resource, authorization=shown))


def test_windmill_authentication_wants_a_token_of_the_workspace():
    authenticate("windmill", credentials(authorization="Bearer token-1"))

    with pytest.raises(Refused):
        authenticate("windmill", credentials(authorization="Bearer token-2"))


@pytest.mark.parametrize("method", ["none", "custom_script"])
def test_some_methods_leave_the_decision_to_the_script(method):
    authenticate(method, credentials())


def test_an_unknown_method_lets_nobody_in():
    with pytest.raises(KeyError):
        authenticate("open_sesame", credentials())
