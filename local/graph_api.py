"""A stand-in for Meta's Graph API: real HTTP, and the checks that Meta makes before it accepts."""

import hashlib
import json
import re
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from local.graph_checks import (
    Refusal,
    body_of,
    check_read_receipt,
    check_text_message,
    is_free_form,
    words_of,
)
from local.json_server import Reply, Request
from local.vendor_api import VendorApi, shuffled
from local.whatsapp_webhook import post_signed

ROUTE = re.compile(r"/v\d+\.\d+/([^/?]+)/messages(?:\?.*)?")
NUMBERS = re.compile(r"/v\d+\.\d+/([^/?]+)/phone_numbers\?(.*)")
APPS = re.compile(r"/v\d+\.\d+/([^/?]+)/subscribed_apps(?:\?.*)?")
OBJECT = re.compile(r"/v\d+\.\d+/([^/?]+)(?:\?.*)?")
FILE = re.compile(r"/files/([^/?]+)")
STATUSES = ["sent", "delivered", "read"]
FAILED = "failed"
UNDELIVERABLE = {"code": 131026, "title": "Message undeliverable"}


@dataclass(frozen=True)
class Accepted:
    """A message that the contact would have received."""

    phone_number_id: str
    to: str
    text: str
    message_id: str
    path: str
    body: dict = field(repr=False)
    at: float = 0.0


class GraphApi(VendorApi):
    """`.accepted` lists what was accepted; `delay_seconds` is how long Meta takes to say so.
    `shuffle_seed` gives receipts another order; of a message to one of `groups` there are some of
    each participant, and the `unreached` do not get it. `business_accounts`: the WhatsApp Business
    accounts (WABA) that the token sees, with their numbers; `subscribed_apps` are those of all of
    them; the token is of the app `app_id`."""

    pair_rate, account_rate = (1 / 6, 45), (80, 80)

    def __init__(self, access_token: str, phone_number_ids: Iterable[str], port: int = 0):
        self._access_token = access_token
        self._phone_number_ids = set(phone_number_ids)
        self.app_id = "77"
        self.business_accounts = {"300": sorted(self._phone_number_ids)}
        self.subscribed_apps: set[str] = set()
        self.delay_seconds = 0.0
        self.webhooks: dict[str, str] = {}
        self.status = "CONNECTED"
        self.handshake: Callable[[dict], bool] | None = None
        self.shuffle_seed: int | None = None
        self.groups: dict[str, list[str]] = {}
        self.unreached: set[str] = set()
        super().__init__(port)

    def answer(self, request: Request) -> Reply:
        try:
            answer = self._answer(request)
        except Refusal as refusal:
            return refusal.reply()
        if isinstance(answer, bytes):
            return Reply(200, answer)
        time.sleep(self.delay_seconds)
        return Reply(200, answer)

    def _answer(self, request: Request) -> dict | bytes:
        if request.bearer != self._access_token:
            message = "Invalid OAuth access token - Cannot parse access token"
            raise Refusal(401, 190, message)
        file, named = FILE.fullmatch(request.path), OBJECT.fullmatch(request.path)
        if file and file[1] in self.files:
            return self.files[file[1]]
        apps, numbers = APPS.fullmatch(request.path), NUMBERS.fullmatch(request.path)
        if apps and apps[1] in self.business_accounts:
            return self._subscriptions(request)
        if numbers and numbers[1] in self.business_accounts and request.method == "GET":
            return self._numbers(numbers[1], dict(urllib.parse.parse_qsl(numbers[2])))
        if named and named[1] in self._phone_number_ids:
            return self._configure(request, named[1])
        if named and named[1] in self.files and request.method == "GET":
            return self._file(named[1])
        return self._accept(request)

    def _accept(self, request: Request) -> dict:
        phone_number_id = self._phone_number_id(request)
        body = body_of(request)
        if body.get("status") == "read":
            check_read_receipt(body)
            self.signs.append(body)
            return {"success": True}
        to = check_text_message(body)
        if is_free_form(body) and self.window_is_closed(to):
            raise Refusal(400, 131047, "(#131047) Re-engagement message")
        self._check_rates(to)
        accepted = Accepted(
            phone_number_id=phone_number_id,
            to=to,
            text=words_of(body),
            message_id=f"wamid.{uuid.uuid4().hex.upper()}",
            path=request.path,
            body=body,
            at=time.time(),
        )
        self.take(accepted)
        return answer_to(accepted)

    def _check_rates(self, to: str) -> None:
        exceeded = self.exceeded_rate(to)
        if exceeded == "pair":
            words = "(#131056) (Business Account, Consumer Account) pair rate limit hit"
            raise Refusal(400, 131056, words)
        if exceeded:
            raise Refusal(400, 130429, "(#130429) Rate limit hit")

    def _file(self, media_id: str) -> dict:
        """Where its bytes are, for five minutes."""
        content = self.files[media_id]
        return {
            "id": media_id,
            "url": f"{self.base_url}/files/{media_id}",
            "mime_type": "application/octet-stream",
            "sha256": hashlib.sha256(content).hexdigest(),
            "file_size": len(content),
            "messaging_product": "whatsapp",
        }

    def _subscriptions(self, request: Request) -> dict:
        """An app subscribes itself: by whose token it is."""
        if request.method == "POST":
            self.subscribed_apps.add(self.app_id)
            return {"success": True}
        told = [{"id": app_id, "name": "Shop", "link": ""} for app_id in self.subscribed_apps]
        return {"data": [{"whatsapp_business_api_data": one} for one in told]}

    def _numbers(self, waba_id: str, wanted: dict[str, str]) -> dict:
        """By pages; the cursor is the last one's, and there is a `next` where there are more."""
        known = self.business_accounts[waba_id]
        first = known.index(wanted["after"]) + 1 if "after" in wanted else 0
        shown = known[first : first + int(wanted.get("limit", 25))]
        paging = {"cursors": {"before": shown[0], "after": shown[-1]}} if shown else {}
        if known[first + len(shown) :]:
            paging["next"] = f"{self.base_url}/v26.0/{waba_id}/phone_numbers?after={shown[-1]}"
        return {"data": [{"id": number} for number in shown]} | (
            {"paging": paging} if shown else {}
        )

    def _configure(self, request: Request, phone_number_id: str) -> dict:
        """Meta asks the new address for its handshake before it takes it; so does `handshake`."""
        if request.method == "POST":
            given = body_of(request, is_message=False).get("webhook_configuration", {})
            if not str(given.get("override_callback_uri", "")).startswith("https://"):
                raise Refusal(400, 100, "(#100) override_callback_uri must be an https URL")
            if self.handshake and not self.handshake(given):
                raise Refusal(400, 2200, "(#2200) Callback verification failed")
            self.webhooks[phone_number_id] = given["override_callback_uri"]
            return {"success": True}
        webhook = self.webhooks.get(phone_number_id)
        return {
            "id": phone_number_id,
            "status": self.status,
            "webhook_configuration": {"phone_number": webhook} if webhook else {},
        }

    def _phone_number_id(self, request: Request) -> str:
        route = ROUTE.fullmatch(request.path)
        if request.method != "POST" or not route or route[1] not in self._phone_number_ids:
            name = route[1] if route else request.path
            raise Refusal(
                400,
                100,
                f"Unsupported {request.method.lower()} request. Object with ID '{name}' does not"
                " exist, cannot be loaded due to missing permissions, or does not support this"
                " operation.",
                type="GraphMethodException",
                subcode=33,
            )
        return route[1]

    def report_to(self, url: str, app_secret: str) -> None:
        """Sends the receipts of every message, as Meta does: one webhook each, signed."""

        def report(accepted: Accepted) -> None:
            for told in shuffled(self._what_becomes_of(accepted), self.shuffle_seed):
                post_signed(url, receipt_of(accepted, **told), app_secret)

        self.receipts = report

    def _what_becomes_of(self, accepted: Accepted) -> list[dict]:
        if accepted.body.get("recipient_type") != "group":
            return [{"status": status} for status in STATUSES]
        return [
            {"status": status, "recipient_type": "group", "recipient_participant_id": one}
            | ({"errors": [UNDELIVERABLE]} if status == FAILED else {})
            for one in self.groups.get(accepted.to, [])
            for status in ([FAILED] if one in self.unreached else STATUSES)
        ]


def receipt_of(accepted: Accepted, status: str, **more) -> bytes:
    told = {
        "id": accepted.message_id,
        "status": status,
        "timestamp": str(int(accepted.at) + [FAILED, *STATUSES].index(status)),
        "recipient_id": accepted.to,
        "biz_opaque_callback_data": accepted.body.get("biz_opaque_callback_data", ""),
        **more,
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "1", "phone_number_id": accepted.phone_number_id},
        "statuses": [told],
    }
    entry = {"id": "100000000000000", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def answer_to(accepted: Accepted) -> dict:
    contact = {"input": accepted.to, "wa_id": re.sub(r"\D", "", accepted.to) or accepted.to}
    return {
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [{"id": accepted.message_id}],
    }
