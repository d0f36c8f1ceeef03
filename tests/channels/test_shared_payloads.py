"""Webhook bodies collected from the vendors and from other projects (../shared, not in git), each
posted with its signature through the real steps."""

import json
import re
from pathlib import Path

import pytest

from f.channels.messages import Request, WebhookRefused
from f.channels.signatures import twilio_signature, verify_meta
from tests.channels.vendors import add_channel, deliver, set_credentials

SHARED = Path(__file__).parents[3] / "shared" / "payloads"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="../shared/payloads is not here")

KINDS = {
    "whatsapp_cloud": "whatsapp",
    "messenger": "messenger",
    "telegram": "telegram",
    "twilio_whatsapp": "twilio",
    "twilio_conversations": "twilio",
}
ACCOUNTS = {
    "whatsapp": re.compile(rb'"phone_number_id":\s*"(\d+)"'),
    "messenger": re.compile(rb'"id":\s*"(\d+)"'),
}
DECISIONS = Path(__file__).parent / "payload_decisions.json"
NEVER_LATE_SECONDS = 10**9


@pytest.fixture
def bench(query, windmill):
    return Bench(query, windmill)


class Bench:
    """One channel, made into the one that each file is for."""

    def __init__(self, query, windmill):
        self._query, self._windmill = query, windmill
        self._signatures = json.loads((SHARED / "_signatures.json").read_bytes())

    def post(self, folder: str, file: str, late_after_seconds=NEVER_LATE_SECONDS) -> list[dict]:
        """What answered the forged one and what the true one."""
        kind = KINDS[folder]
        signed = self._signatures[f"{folder}/{file}.json"]
        raw = signed["body"].encode() if kind == "twilio" else _file(folder, file)
        self._query("delete from channels; delete from alerts")
        self._windmill.started.clear()
        add_channel(
            self._query,
            kind,
            _account(kind, raw),
            _credentials(signed),
            late_after_seconds=late_after_seconds,
            webhook_url=signed.get("url", "https://bot.example.com"),
            settings={"names": ["AcmeHelpBot", "Acme", "Support"]},
        )
        url_key = self._query("select url_key from channels")[0][0]
        headers = {name.lower(): one for name, one in signed.items() if name.startswith("X-")}
        # Of the right form, so that its value alone is wrong.
        wrong = {"000": "111"}
        forged = {name: one[:-3] + wrong.get(one[-3:], "000") for name, one in headers.items()}
        return [deliver(url_key, raw, each) for each in (forged, headers)]

    def decision(self) -> str:
        """What became of it, of which kind, of whom, and whether somebody answers."""
        [(outcome,)] = self._query("select outcome from webhook_deliveries")
        stored = self._query(
            "select kind, coalesce(command || ' ', '') || contact_key, group_key"
            " from inbound_messages join conversations on conversations.id = conversation_id"
            " join contacts on contacts.id = contact_id order by inbound_messages.id"
        )
        rows = [" ".join(filter(None, row)) for row in stored]
        flows = [f"{len(self._windmill.started)} answered"] if self._windmill.started else []
        return "; ".join([*(f"{key} {number}" for key, number in outcome.items()), *rows, *flows])


@pytest.mark.parametrize("folder", KINDS)
def test_w05_w17_every_payload_is_decided_by_the_table_and_no_forgery_stored(bench, folder):
    found = {}
    for file in sorted(path.stem for path in (SHARED / folder).iterdir()):
        forged, true = bench.post(folder, file)
        assert (forged["windmill_status_code"], true["windmill_status_code"]) == (401, 200)
        found[file] = bench.decision()

    assert found == json.loads(DECISIONS.read_text())[folder]


@pytest.mark.parametrize(
    ("folder", "file"),
    [("whatsapp_cloud", "text"), ("messenger", "text"), ("telegram", "text_private")],
)
def test_w10_a_message_that_comes_late_is_kept_for_a_person(bench, query, windmill, folder, file):
    bench.post(folder, file, late_after_seconds=3600)

    assert query("select outcome from webhook_deliveries") == [({"late": 1},)]
    assert query("select state from inbound_messages") == [("held",)]
    assert windmill.started == []
    assert query("select code from alerts") == [("message_late",)]


@pytest.mark.parametrize("file", ["truncated_json.body", "empty_body.body"])
@pytest.mark.parametrize("kind", ["whatsapp", "messenger"])
def test_w12_a_broken_body_is_refused(query, windmill, kind, file):
    signed = json.loads((SHARED / "_signatures.json").read_bytes())[f"malformed/{file}"]
    set_credentials(query, add_channel(query, kind, "1"), {"app_secret": signed["key"]})
    headers = {"x-hub-signature-256": signed["X-Hub-Signature-256"]}

    answer = deliver(f"{kind}-1", (SHARED / "malformed" / file).read_bytes(), headers)

    assert answer["windmill_status_code"] == 400
    assert answer["result"]["error"]["code"] == "body_not_json"


@pytest.mark.parametrize("file", ["empty_object", "wa_empty_entry"])
@pytest.mark.parametrize("kind", ["whatsapp", "messenger"])
def test_w17_a_body_with_nothing_in_it_is_acknowledged(query, windmill, kind, file):
    raw = (SHARED / "malformed" / f"{file}.json").read_bytes()
    signed = json.loads((SHARED / "_signatures.json").read_bytes())[f"malformed/{file}.json"]
    set_credentials(query, add_channel(query, kind, "1"), {"app_secret": signed["key"]})
    headers = {"x-hub-signature-256": signed["X-Hub-Signature-256"]}

    assert deliver(f"{kind}-1", raw, headers)["windmill_status_code"] == 200

    assert query("select count(*) from inbound_messages") == [(0,)]
    assert windmill.started == []


def test_every_shared_payload_is_posted_by_a_test():
    folders = {path.name for path in SHARED.iterdir() if path.is_dir()}
    known = json.loads(DECISIONS.read_text())

    # Ours to send (slack_outbound) or to define (webchat), so nobody signs them.
    assert folders - set(KINDS) == {"malformed", "slack_outbound", "webchat"}
    for folder in KINDS:
        assert {path.stem for path in (SHARED / folder).iterdir()} == set(known[folder])


def test_w05_the_old_signature_proves_nothing_alone():
    for vector in _vectors("meta_legacy_x_hub_signature_sha1"):
        headers = {"x-hub-signature": f"sha1={vector['sha1']}"}
        with pytest.raises(WebhookRefused):
            verify_meta(Request(vector["body"].encode(), headers), {"app_secret": vector["key"]})


def test_w09_every_published_signature_of_meta_passes():
    for vector in _vectors("meta_x_hub_signature_256"):
        headers = {"x-hub-signature-256": f"sha256={vector['sha256']}"}
        verify_meta(Request(vector["body"].encode(), headers), {"app_secret": vector["key"]})


def test_w13_every_published_signature_of_twilio_passes():
    for vector in _vectors("twilio_x_twilio_signature"):
        fields = [
            (name, one)
            for name, values in (vector.get("params") or {}).items()
            for one in (values if isinstance(values, list) else [values])
        ]
        signed = twilio_signature(vector["auth_token"].encode(), vector["url"], fields)
        assert (signed == vector["signature"]) is vector["matches"]


def _vectors(scheme: str) -> list[dict]:
    return json.loads((SHARED / "signature_vectors.json").read_bytes())[scheme]


def _file(folder: str, file: str) -> bytes:
    return (SHARED / folder / f"{file}.json").read_bytes()


def _account(kind: str, raw: bytes) -> str:
    """The account that the body names; one that names none is for whose address it was sent to."""
    if kind == "twilio":
        return "14155238886"
    found = ACCOUNTS[kind].search(raw) if kind in ACCOUNTS else None
    return found[1].decode() if found else "4242"


def _credentials(signed: dict) -> dict:
    if signed["scheme"] == "meta":
        return {"app_secret": signed["key"], "app_id": "1821152484774199"}
    if signed["scheme"] == "telegram":
        return {"secret_token": signed["X-Telegram-Bot-Api-Secret-Token"]}
    return {
        "auth_token": signed["auth_token"],
        "account_sid": re.search("AccountSid=([^&]*)", signed["body"])[1],
        "messaging_service_sid": "MG00000000000000000000000000000001",
    }
