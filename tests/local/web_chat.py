"""The web chat's server over a real socket, and pages that talk to it."""

import json
import uuid
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection

from f.channels.accounts import sealing_place
from f.shared.crypto import seal
from local.web_api import WebApi
from runner.engine import Engine
from runner.server import Server
from runner.workspace import load_workspace
from tests.conftest import SEALING_KEY
from tests.db.turns import claim, commit, finish, gather

KEY = "demo-web-chat"
SHOP = "https://shop.example"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
SECRET = "visitor-secret-of-the-organization-" + "s" * 40


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["error"]["code"]


@dataclass
class Page:
    """One website's page; `token` and `session` once it was let in."""

    address: str
    origin: str | None = SHOP
    key: str = KEY
    session: str = ""
    token: str | None = None
    headers: dict = field(default_factory=dict)

    def call(self, method: str, path: str = "", body: object = None, **headers) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= self.headers
        if self.origin is not None:
            sent["origin"] = self.origin
        if self.token is not None:
            sent["x-session-token"] = self.token
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection = HTTPConnection(self.address, timeout=30)
        try:
            connection.request(method, f"/api/web/{self.key}{path}", content, sent)
            found = connection.getresponse()
            named = {name.lower(): value for name, value in found.getheaders()}
            return Answer(found.status, named, found.read())
        finally:
            connection.close()

    def start(self, **body) -> Answer:
        answer = self.call("POST", "/sessions", body)
        if answer.status == 201:
            self.session = f"/sessions/{answer.json['session_id']}"
            self.token = answer.json["session_token"]
        return answer

    def say(self, text: object = "Hello", message_id: str | None = None, **more) -> Answer:
        message = {
            "client_message_id": message_id or str(uuid.uuid4()),
            "message": text,
            **more,
        }
        return self.call("POST", f"{self.session}/messages", message)

    def poll(self, query: str = "") -> Answer:
        return self.call("GET", f"{self.session}/messages{query}")

    def upload(self, content: bytes, name: str = "photo.png") -> Answer:
        return self.call("POST", f"{self.session}/uploads", content, x_file_name=name)


@dataclass
class Served:
    """The API on a socket of its own; each test gives it a database of its own."""

    api: WebApi
    address: str

    def on(self, databases) -> str:
        self.api.database = databases["f/channels/ingress_database"]
        return self.address


@contextmanager
def serving(folder, extra_routes=(), **options):
    """Flows are started at the Windmill that the tests play."""
    api = WebApi({}, SEALING_KEY, **options)
    server = Server(Engine(load_workspace(folder)), extra_routes=[*extra_routes, *api.routes])
    server.start()
    yield Served(api, server.base_url.removeprefix("http://"))
    server.stop()


def said(page, query: str = "") -> list[tuple[str, str]]:
    return [(line["text"], line["author"]) for line in page.poll(query).json["messages"]]


def read_stream(page, last_event_id: str):
    """(id, kind, text or status) of each event."""
    connection = HTTPConnection(page.address, timeout=20)
    headers = {"x-session-token": page.token, "last-event-id": last_event_id, "origin": SHOP}
    with closing(connection):
        connection.request("GET", f"/api/web/{KEY}{page.session}/events", headers=headers)
        with connection.getresponse() as response:
            assert response.getheader("content-type").startswith("text/event-stream")
            yield from events_in(response)


def events_in(response):
    fields = {}
    while line := response.readline().decode():
        name, _, value = line.rstrip("\n").partition(": ")
        if name in ("id", "event", "data"):
            fields[name] = value
        elif "data" in fields:
            content = json.loads(fields["data"])
            shown = content.get("text") or content["session_status"]
            yield fields.get("id"), fields["event"], shown
            fields = {}


def answered(query, text: str) -> None:
    """The chatbot answers what waits, and its reply is sent."""
    [(conversation_id,)] = query(
        "select conversation_id::text from inbound_messages where state = 'waiting' limit 1"
    )
    _, fence, arrivals = claim(query, conversation_id)
    _, _, turn_id = gather(query, conversation_id, fence, arrivals)
    commit(query, turn_id, fence, [text])
    query(
        "update outbound_messages set state = 'sent', sent_at = now() where turn_id = %s", turn_id
    )
    finish(query, turn_id, fence)


def written_by_teammate(query, text: str) -> None:
    query(
        "insert into messages"
        " (organization_id, conversation_id, author, position, body, written_at)"
        " select organization_id, id, 'teammate', 0, %s, now() from conversations",
        text,
    )


def with_secret(query) -> None:
    """The channel's identity secret, sealed."""
    [(channel_id,)] = query("select id::text from channels where kind = 'web'")
    secret = json.dumps({"identity_secret": SECRET})
    query(
        "update channels set sealed_credentials = %s where id = %s",
        seal(SEALING_KEY, secret, sealing_place(channel_id)),
        channel_id,
    )
