"""Stand-ins of an MCP server and its authorization server: real TLS, as strict as OAuth 2.1.

shop.example is the MCP server, media.example the authorization server; both are one port here.
"""

import base64
import hashlib
import http.client
import json
import re
import secrets
import socket
import ssl
from urllib.parse import parse_qsl, urlencode, urlsplit

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from f.shared.internet import Internet
from tests.chat.tools import STATUS
from tests.shared.fake_internet import certificate

MCP_URL = "https://shop.example/mcp"
ISSUER = "https://media.example"
PUBLIC = "93.184.216.34"
CALLBACK = "https://chat.example/api/r/chatmill/contacts/signed-in"


class SignInServer:
    """`called`: whose tool was called; `exchanged`: forms that the token endpoint took or refused.
    `resource` and `metadata` are what it tells of itself; a test spoils them."""

    def __init__(self, folder):
        authority, file = certificate(folder)
        self.client_tls = ssl.create_default_context(cadata=authority)
        server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_tls.load_cert_chain(file)
        self.server = HTTPServer(ssl_context=server_tls)
        self.server.expect_request(re.compile(".*")).respond_with_handler(self._answer)
        self.server.start()
        self.begin()

    def begin(self) -> None:
        self.resource = {
            "resource": MCP_URL,
            "authorization_servers": [ISSUER],
            "scopes_supported": ["orders"],
        }
        self.metadata = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "registration_endpoint": f"{ISSUER}/register",
            "revocation_endpoint": f"{ISSUER}/revoke",
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": True,
        }
        self.called, self.exchanged, self.hosts, self.revoked = [], [], set(), []
        self.seconds: int | None = 3600
        self.client_id_bytes = 8
        self.redirects_to = ""
        self._clients: dict[str, list[str]] = {}
        self._codes: dict[str, dict] = {}
        self._people: dict[str, str] = {}  # by token
        self._refreshes: dict[str, str] = {}

    def sign_in(self, link: str, person: str, **spoiled: str) -> dict:
        """The browser: what it brings to the callback; a refusal raises. `spoiled`: parameters
        that somebody changed on the way."""
        parts = urlsplit(link)
        query = {**dict(parse_qsl(parts.query)), "person": person, **spoiled}
        connection = http.client.HTTPSConnection(parts.netloc, context=self.client_tls)
        plain = socket.create_connection(("127.0.0.1", self.server.port))
        connection.sock = self.client_tls.wrap_socket(plain, server_hostname=parts.netloc)
        connection.request("GET", f"{parts.path}?{urlencode(query)}")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 302:
            raise PermissionError(answer.status)
        back = urlsplit(answer.headers["location"])
        assert f"{back.scheme}://{back.netloc}{back.path}" == CALLBACK
        return dict(parse_qsl(back.query))

    def end_tokens(self) -> None:
        self._people.clear()

    def end_everything(self) -> None:
        self.end_tokens()
        self._refreshes.clear()

    def _answer(self, request: Request) -> Response:
        self.hosts.add(request.headers["host"])
        routes = {
            "/mcp": self._mcp,
            "/.well-known/oauth-protected-resource/mcp": lambda _: _json(self.resource),
            "/.well-known/oauth-authorization-server": lambda _: _json(self.metadata),
            "/register": self._register,
            "/authorize": self._authorize,
            "/token": self._token,
            "/revoke": lambda one: self.revoked.append(one.form["token"]) or Response(),
        }
        if self.redirects_to and request.path == "/token":
            return Response("", 307, headers={"location": self.redirects_to})
        return routes.get(request.path, lambda _: Response("", 404))(request)

    def _register(self, request: Request) -> Response:
        client_id = secrets.token_urlsafe(self.client_id_bytes)
        self._clients[client_id] = request.json["redirect_uris"]
        return _json({"client_id": client_id}, 201)

    def _authorize(self, request: Request) -> Response:
        asked = request.args.to_dict()
        is_sound = (
            asked["redirect_uri"] in self._clients.get(asked["client_id"], [])
            and asked["response_type"] == "code"
            and asked["code_challenge_method"] == "S256"
            and asked["resource"] == MCP_URL
            and len(asked["state"]) >= 43
        )
        if not is_sound:
            return Response("", 400)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": ISSUER}
        location = f"{asked['redirect_uri']}?{urlencode(back)}"
        return Response("", 302, headers={"location": location})

    def _token(self, request: Request) -> Response:
        form = request.form.to_dict()
        self.exchanged.append(form)
        if form["resource"] != MCP_URL or form["client_id"] not in self._clients:
            return _json({"error": "invalid_target"}, 400)
        if form["grant_type"] == "refresh_token":
            person = self._refreshes.pop(form["refresh_token"], None)  # each is good for once
            return self._tokens_for(person) if person else _json({"error": "invalid_grant"}, 400)
        asked = self._codes.pop(form["code"], None)  # good for once
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        is_sound = asked and (
            asked["code_challenge"] == challenge
            and asked["redirect_uri"] == form["redirect_uri"]
            and asked["client_id"] == form["client_id"]
        )
        return self._tokens_for(asked["person"]) if is_sound else _json({"error": "no"}, 400)

    def _tokens_for(self, person: str) -> Response:
        access, again = f"canary-{secrets.token_hex(8)}", f"canary-{secrets.token_hex(8)}"
        self._people[access], self._refreshes[again] = person, person
        told = {"access_token": access, "refresh_token": again, "token_type": "Bearer"}
        return _json({**told, **({"expires_in": self.seconds} if self.seconds else {})})

    def _mcp(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self._people:
            document = "https://shop.example/.well-known/oauth-protected-resource/mcp"
            challenge = f'Bearer resource_metadata="{document}"'
            return Response("", 401, headers={"www-authenticate": challenge})
        asked = request.json
        method = asked.get("method", "")
        if method.startswith("notifications/"):
            return Response("", 202)
        if method == "tools/call":
            self.called.append((self._people[token], asked["params"]["arguments"]))
        return _json({"jsonrpc": "2.0", "id": asked.get("id"), **_result(method)})


def _result(method: str) -> dict:
    """A server of 2025-11-25."""
    if method == "initialize":
        about = {"name": "s", "version": "1"}
        told = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
        return {"result": {**told, "serverInfo": about}}
    if method == "tools/list":
        return {"result": {"tools": [{k: v for k, v in STATUS.items() if v is not None}]}}
    if method == "tools/call":
        return {"result": {"content": [{"type": "text", "text": "On its way."}]}}
    return {"error": {"code": -32601, "message": "?"}}


class Reach(Internet):
    """Both names are the stand-in's port; `opened` lists the addresses that were connected to."""

    def __init__(self, server: SignInServer):
        self._server = server
        self.opened: list[str] = []

    def look_up(self, host: str) -> list[str]:
        return [PUBLIC] if host.endswith(".example") else super().look_up(host)

    def open(self, address: str, port: int, seconds: float) -> socket.socket:
        self.opened.append(address)
        return socket.create_connection(("127.0.0.1", self._server.server.port), timeout=seconds)

    def tls(self) -> ssl.SSLContext:
        return self._server.client_tls


def _json(body: dict, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
