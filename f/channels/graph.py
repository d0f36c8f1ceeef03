"""One call to Meta's Graph API, for WhatsApp and for Messenger.

Source: https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

import hashlib
import hmac
from urllib.parse import quote

from f.channels.refusals import Codes, refusal
from f.channels.vendor_json import identifier, mapping, object_in, words
from f.shared.errors import ChatmillError, Misconfigured, UpstreamError
from f.shared.http import request

GRAPH_URL = "https://graph.facebook.com"
GRAPH_VERSION = "v26.0"  # Meta keeps a version for about two years


def call(
    credentials: dict,
    method: str,
    path: str,
    body: dict | None,
    codes: Codes,
    vendor: str,
    is_of_account: bool = True,
) -> dict:
    """`path`: below the account's id where it `is_of_account`. `credentials` hold access_token and
    account_id, and may hold api_url and api_version. Raises the errors of f/shared/errors.py."""
    account_id = credentials["account_id"]
    if not credentials.get("access_token"):
        raise Misconfigured(f"{account_id} has no access token yet.")
    account = f"/{quote(account_id, safe='')}" if is_of_account else ""
    try:
        answer = request(
            method,
            f"{base_url(credentials)}{account}{path}",
            headers={"authorization": f"Bearer {credentials['access_token']}"},
            json=body,
        )
    except UpstreamError as exc:
        if exc.status is None:
            raise
        raise _refusal(codes, vendor, credentials, exc) from exc
    return object_in(answer.body)


def proof_of(credentials: dict) -> str:
    """An app that requires it wants proof that the token's user holds the app's secret."""
    secret, token = credentials.get("app_secret"), credentials.get("access_token")
    if not (secret and token):
        return ""
    proof = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    return f"?appsecret_proof={proof}"


def base_url(credentials: dict) -> str:
    base = (credentials.get("api_url") or GRAPH_URL).rstrip("/")
    return f"{base}/{credentials.get('api_version') or GRAPH_VERSION}"


def _refusal(codes: Codes, vendor: str, credentials: dict, exc: UpstreamError) -> ChatmillError:
    error = mapping(object_in(exc.body).get("error"))
    details = words(mapping(error.get("error_data")).get("details"), 200)
    return refusal(codes, vendor, credentials, exc, _code_of(error, codes), details)


def _code_of(error: dict, codes: Codes) -> str | None:
    """With its subcode where that says more: 100/33 is an account id that is not ours, 10/2018278
    a closed window and no missing permission."""
    code, subcode = identifier(error.get("code")), identifier(error.get("error_subcode"))
    both = f"{code}/{subcode}"
    known = (*codes.needs_a_person, *codes.window_closed, *codes.gone)
    return both if both in known else code
