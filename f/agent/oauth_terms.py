"""What an MCP server and its authorization server tell of how a contact signs in.

Nothing of it is believed: each document has to name whom it was asked of, every address has to be
public and over TLS, and a server without PKCE is refused.
RFC 9728 (protected resource), RFC 8414 (authorization server), RFC 8707 (resource indicator).
"""

import ipaddress
import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import f.shared.safe_call as safe_call
from f.shared.addresses import is_public
from f.shared.deadline import Deadline
from f.shared.errors import InputRefused, UpstreamDown, UpstreamRefused
from f.shared.web_addresses import read_url

SECONDS = 10  # for all of it
MAX_SCOPES = 20
MAX_ISSUER_CHARACTERS = 500
SCOPE = re.compile(r"[!#-\[\]-~]{1,200}")
CHALLENGED = re.compile(r'resource_metadata="([^"]+)"')


@dataclass(frozen=True)
class Terms:
    """`tells_issuer`: the server names itself when it sends the contact back (RFC 9207)."""

    resource: str
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    registration_endpoint: str | None
    revocation_endpoint: str | None
    scope: str
    client_authentication: str  # none | client_secret_post | client_secret_basic
    tells_issuer: bool


def read_terms(server_url: str) -> Terms:
    """Raises UpstreamRefused (they tell what can't be believed), UpstreamDown."""
    deadline = Deadline(SECONDS)
    try:
        resource = _first(_resource_urls(server_url, deadline), deadline)
        if not _covers(resource.get("resource"), server_url):
            raise UpstreamRefused("its resource metadata is of another resource")
        issuers = resource.get("authorization_servers")
        issuer = issuers[0] if isinstance(issuers, list) and issuers else None
        told = _first(_issuer_urls(_checked(issuer)), deadline)
        if told.get("issuer") != issuer:
            raise UpstreamRefused("its authorization server names another issuer")
        if len(issuer) > MAX_ISSUER_CHARACTERS:
            raise UpstreamRefused("its authorization server's name is too long to be kept")
        if "S256" not in _words(told, "code_challenge_methods_supported"):
            raise UpstreamRefused("its authorization server does without PKCE")
        return _terms(resource, told)
    except InputRefused as error:
        raise UpstreamRefused("it names an address that is not allowed") from error


def _terms(resource: dict, told: dict) -> Terms:
    scopes = _words(resource, "scopes_supported")[:MAX_SCOPES]
    ways = _words(told, "token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    known = [one for one in ("none", "client_secret_post", "client_secret_basic") if one in ways]
    if not known:
        raise UpstreamRefused("its authorization server wants a proof that we don't have")
    return Terms(
        resource=resource["resource"],
        issuer=told["issuer"],
        authorization_endpoint=_checked(told.get("authorization_endpoint")),
        token_endpoint=_checked(told.get("token_endpoint")),
        registration_endpoint=_checked(told.get("registration_endpoint"), is_needed=False),
        revocation_endpoint=_checked(told.get("revocation_endpoint"), is_needed=False),
        scope=" ".join(one for one in scopes if SCOPE.fullmatch(one)),
        client_authentication=known[0],
        tells_issuer=told.get("authorization_response_iss_parameter_supported") is True,
    )


def _resource_urls(server_url: str, deadline: Deadline) -> list[str]:
    """Where the server says, if that is its own origin, else where RFC 9728 says."""
    parts = urlsplit(server_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    refusal = safe_call.call("GET", server_url, {"accept": "text/event-stream"}, None, deadline)
    named = CHALLENGED.search(refusal.header("www-authenticate"))
    own = [named[1]] if named and named[1].startswith(f"{origin}/") else []
    well_known = f"{origin}/.well-known/oauth-protected-resource"
    return [*own, f"{well_known}{parts.path.rstrip('/')}", well_known]


def _issuer_urls(issuer: str) -> list[str]:
    parts = urlsplit(issuer)
    if parts.query or parts.fragment:
        raise UpstreamRefused("its authorization server's name has a query")
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return [
        f"{origin}/.well-known/oauth-authorization-server{path}",
        f"{origin}/.well-known/openid-configuration{path}",
        f"{origin}{path}/.well-known/openid-configuration",
    ]


def _first(urls: list[str], deadline: Deadline) -> dict:
    for url in dict.fromkeys(urls):
        answer = safe_call.call("GET", url, {"accept": "application/json"}, None, deadline)
        if answer.status == 200:
            return json_object(answer)
    raise UpstreamRefused("it does not tell how to sign in")


def json_object(answer: safe_call.Answer) -> dict:
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        raise UpstreamDown("the server's answer is not JSON") from error
    if not isinstance(found, dict):
        raise UpstreamDown("the server's answer is no object")
    return found


def _covers(resource: object, server_url: str) -> bool:
    """The very address, or one above it on the same origin."""
    if not isinstance(resource, str):
        return False
    above = resource.rstrip("/")
    if server_url != resource and not f"{server_url}/".startswith(f"{above}/"):
        return False
    parts = urlsplit(resource)  # a part of our own address, so it can be read
    return bool(parts.netloc) and not parts.query


def _checked(url: object, is_needed: bool = True) -> str | None:
    """A contact's browser or we go there."""
    if url is None and not is_needed:
        return None
    if not isinstance(url, str) or "#" in url:
        raise UpstreamRefused("it leaves out an address that is needed")
    target = read_url(url)
    if target.scheme not in safe_call.SCHEMES or not _may_be_public(target.host):
        raise UpstreamRefused("it names an address that is not allowed")
    return url


def _may_be_public(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True  # a name: what it resolves to is checked when we connect
    return is_public(host)


def _words(told: dict, name: str) -> list[str]:
    found = told.get(name)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
