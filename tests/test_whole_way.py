"""A message's whole way, over real HTTP: signed webhook, flow, model, tool, vendor, database."""

import json
import secrets as random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import urllib3

from local import installation
from local.documents import add_documents
from local.graph_api import GraphApi
from local.hashing_embedder import HashingEmbedder
from local.offline_model import OfflineModel
from local.places import ROOT
from local.secrets_file import Secrets, drawn
from local.web_api import WebApi
from local.whatsapp_webhook import phone_number_id_in, post_signed, text_message
from local.workspace import checked_workspace
from runner.engine import Engine
from runner.jobs import StepEvent
from runner.server import Server
from tests.conftest import CHANNEL_ID, ORGANIZATION_ID
from tests.local.web_chat import Page

SHARED = ROOT.parent / "shared" / "payloads"
ARTICLE = b"# Opening hours\n\nThe shop in Braga is open on Sundays from ten to two.\n"
ACCOUNT_ID = "100000000000001"


@dataclass
class Installation:
    engine: Engine
    server: Server
    graph: GraphApi
    secrets: Secrets
    events: list[StepEvent] = field(default_factory=list)

    def post(self, body: bytes, secret: str | None = None):
        url = f"{self.server.base_url}/api/r/chatmill/demo-whatsapp"
        answered = post_signed(url, body, secret or self.secrets.app_secret)
        assert self.engine.wait_idle(30)
        return answered

    def say(self, text: str, contact: str = "15550001"):
        return self.post(text_message(ACCOUNT_ID, text, contact))

    def replies(self) -> list[str]:
        return [accepted.text for accepted in self.graph.accepted]


@pytest.fixture(params=["in one process"])
def chatmill(request, owner, databases):
    events: list[StepEvent] = []
    secrets = drawn()
    with (
        OfflineModel(random.token_hex(8), embedder=HashingEmbedder()) as model,
        GraphApi(secrets.access_token, [ACCOUNT_ID]) as graph,
    ):
        installation.connect_channels(owner, ORGANIZATION_ID, secrets, graph.base_url)
        add_documents(owner, model.resource, ORGANIZATION_ID, {"hours.md": ARTICLE})
        engine = Engine(
            checked_workspace(),
            variables={"f/chat/sealing_key": secrets.sealing_key},
            resources={**databases, "f/chat/model": model.resource},
            isolated=request.param == "a process a step",
            listener=events.append,
        )
        web_api = WebApi(databases["f/channels/ingress_database"], secrets.sealing_key)
        server = Server(engine, extra_routes=web_api.routes)
        server.start()
        engine.start(server.base_url)
        yield Installation(engine, server, graph, secrets, events)
        server.stop()
        engine.stop()


both_modes = pytest.mark.parametrize(
    "chatmill", ["in one process", "a process a step"], indirect=True
)


@both_modes
def test_a_signed_question_is_answered_from_a_document(chatmill, query):
    answered = chatmill.say("When is the shop in Braga open?")

    assert answered.status == 200
    assert chatmill.replies() == ["The shop in Braga is open on Sundays from ten to two."]
    assert query("select state from turns") == [("finished",)]
    assert query("select state from outbound_messages") == [("sent",)]
    assert query("select author from messages order by id") == [("contact",), ("chatbot",)]
    assert query("select tokens_reserved, messages_used from usage_periods") == [(0, 1)]


@both_modes
@pytest.mark.parametrize("text", ["$var:f/chat/sealing_key", "$res:f/chat/app_database"])
def test_w11_a_text_that_windmill_would_resolve_is_a_text_like_any_other(chatmill, query, text):
    chatmill.say(text)

    seen = str(chatmill.replies()) + str(query("select body from inbound_messages"))
    assert query("select body from inbound_messages") == [(text,)]
    assert len(chatmill.replies()) == 1
    assert chatmill.secrets.sealing_key not in seen


def test_no_secret_and_no_text_is_in_any_jobs_arguments_or_result(chatmill):
    chatmill.say("my card number is 4111 and the shop in Braga?")

    seen = json.dumps([[e.args, e.result] for e in chatmill.events], default=str)
    assert len(chatmill.events) > 10
    for value in ("4111", "Braga", *vars(chatmill.secrets).values()):
        assert value not in seen


def test_fifty_contacts_at_once_are_each_answered_once(chatmill, query):
    bodies = [text_message(ACCOUNT_ID, f"Is Braga open? {n}", f"1555{n:04d}") for n in range(50)]

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(chatmill.post, bodies * 2))

    assert {answer.status for answer in answers} == {200}
    assert sorted(accepted.to for accepted in chatmill.graph.accepted) == [
        f"1555{n:04d}" for n in range(50)
    ]
    assert query("select state, count(*) from turns group by 1") == [("finished", 50)]


def test_o01_one_contacts_burst_is_answered_in_order_and_nothing_is_left(chatmill, query):
    bodies = [text_message(ACCOUNT_ID, f"Question {n}?", "15550001") for n in range(12)]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(chatmill.post, bodies))

    assert query("select distinct state from inbound_messages") == [("answered",)]
    assert query("select distinct state from turns") == [("finished",)]
    assert query("select due_at, lease_until from conversation_work") == [(None, None)]
    sent = query("select count(*) from outbound_messages where state = 'sent'")[0][0]
    assert sent == len(chatmill.graph.accepted) <= 12


def test_a_contact_who_comes_back_with_a_state_that_is_none_reads_why(chatmill):
    route = f"{chatmill.server.base_url}/api/r/chatmill/contacts/signed-in"

    answer = urllib3.request("GET", route, fields={"state": "x", "code": "y"}, retries=False)

    assert answer.status == 400
    assert "Ask for another one in the chat." in answer.data.decode()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_handshake_is_answered_over_http(chatmill):
    route = f"{chatmill.server.base_url}/api/r/chatmill/demo-whatsapp"
    query = {
        "hub.mode": "subscribe",
        "hub.verify_token": chatmill.secrets.verify_token,
        "hub.challenge": "1158201444",
    }

    answer = urllib3.request("GET", route, fields=query, retries=False)

    assert (answer.status, answer.data) == (200, b"1158201444")
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_reply_that_meta_refuses_for_now_is_given_back_and_alerted(chatmill, query):
    chatmill.graph._access_token = "revoked"

    chatmill.say("When is the shop in Braga open?")

    assert query("select state from outbound_messages") == [("ready",)]
    assert query("select code from alerts") == [("step_failed",)]
    assert query("select due_at > now() and lease_until is null from conversation_work") == [
        (True,)
    ]


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared, with recorded payloads, is not here")
def test_every_recorded_webhook_is_stored_or_ignored_for_a_reason(chatmill, query):
    for path in sorted(SHARED.glob("**/whatsapp_cloud/*.json")):
        body = path.read_bytes()
        query(
            "update channels set account_id = %s where id = %s",
            phone_number_id_in(body) or ACCOUNT_ID,
            CHANNEL_ID,
        )

        assert chatmill.post(body).status == 200, path.name
        outcome = query("select outcome from webhook_deliveries order by received_at desc limit 1")
        assert outcome[0][0], path.name


@pytest.mark.parametrize("text", ["nul \u0000 inside", "broken \ud83d emoji", "a" * 4096, "\u202e"])
def test_t01_t02_t04_any_text_a_contact_can_send_is_answered(chatmill, query, text):
    answered = chatmill.say(text)

    assert answered.status == 200
    assert query("select state from inbound_messages") == [("answered",)]
    assert len(chatmill.replies()) == 1


@pytest.mark.parametrize("text", ["$var:f/none/such", "$res:nothing", "$var:f/chat/sealing_key"])
def test_a_web_text_that_windmill_would_resolve_is_answered(chatmill, query, text):
    page = Page(chatmill.server.base_url.removeprefix("http://"), origin=None)
    page.start()

    answer = page.say(text)

    assert (answer.status, chatmill.engine.wait_idle(30)) == (202, True)
    assert query("select author, body from messages order by id limit 1") == [("contact", text)]
    assert [line["author"] for line in page.poll().json["messages"]] == ["contact", "chatbot"]


def test_the_route_of_vendors_takes_nothing_for_the_web_chat(chatmill, query):
    url = f"{chatmill.server.base_url}/api/r/chatmill/demo-web-chat"

    answer = urllib3.request("POST", url, body=b'{"contact_key": "person:x", "text": "Hi"}')

    assert (answer.status, answer.json()["error"]["code"]) == (404, "web_chat_elsewhere")
    assert query("select count(*) from webhook_deliveries") == [(0,)]


@pytest.mark.parametrize(
    "challenge", ["$var:f/chat/sealing_key", "$res:f/chat/app_database", "$WM_TOKEN"]
)
def test_a_handshake_hands_out_no_secret(chatmill, challenge):
    route = f"{chatmill.server.base_url}/api/r/chatmill/demo-whatsapp"
    token = chatmill.secrets.verify_token
    fields = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}

    answer = urllib3.request("GET", route, fields=fields, retries=False)

    assert answer.status == 403
    assert chatmill.secrets.sealing_key.encode() not in answer.data
    assert chatmill.engine.token.encode() not in answer.data
