"""A stand-in for Messenger's Send API: real HTTP, and the checks that Meta makes.

Source: https://developers.facebook.com/docs/messenger-platform/reference/send-api
"""

import hashlib
import hmac
import json
import re
import time
import uuid

from local.json_server import Reply, Request
from local.vendor_api import Taken, VendorApi, shuffled
from local.whatsapp_webhook import post_signed

ROUTE = re.compile(r"/v\d+\.\d+/(\w+)/(\w+)(?:\?(.*))?")
FILES = "/files/"
LONGEST_TEXT = 2000
MOST_QUICK_REPLIES, LONGEST_TITLE, LONGEST_PAYLOAD = 13, 20, 1000
ACTIONS = ("mark_seen", "typing_on", "typing_off")


class MessengerApi(VendorApi):
    """With `requires_proof` the app wants appsecret_proof, as Meta's setting of that name.
    `shuffle_seed` gives what it reports another order."""

    account_rate = (300, 300)

    def __init__(
        self,
        access_token: str,
        app_secret: str,
        page_ids: list[str],
        app_id: str = "77",
        requires_proof: bool = True,
        port: int = 0,
    ):
        self._access_token, self._app_secret = access_token, app_secret
        self._page_ids, self._app_id = page_ids, app_id
        self._requires_proof = requires_proof
        self.unavailable: set[str] = set()
        self.subscribed: dict[str, list[str]] = {}
        self.shuffle_seed: int | None = None
        super().__init__(port)

    def answer(self, request: Request) -> Reply:
        if request.path.startswith(FILES) and request.path.removeprefix(FILES) in self.files:
            return Reply(200, self.files[request.path.removeprefix(FILES)])
        if request.bearer != self._access_token:
            return refusal(401, 190, "Invalid OAuth access token - Cannot parse access token")
        route = ROUTE.fullmatch(request.path)
        if route is None or route[1] not in self._page_ids:
            return refusal(400, 100, "Unsupported post request. Object does not exist", 33)
        if self._requires_proof and f"appsecret_proof={self._proof()}" not in (route[3] or ""):
            return refusal(
                400, 100, "API calls from the server require an appsecret_proof argument"
            )
        if route[2] == "subscribed_apps":
            return self._subscriptions(request, route[1])
        return self._message(request.json(), route[1])

    def _proof(self) -> str:
        key, message = self._app_secret.encode(), self._access_token.encode()
        return hmac.new(key, message, hashlib.sha256).hexdigest()

    def _subscriptions(self, request: Request, page_id: str) -> Reply:
        if request.method == "POST":
            self.subscribed[page_id] = request.json().get("subscribed_fields", [])
            return Reply(200, {"success": True})
        fields = self.subscribed.get(page_id)
        data = [{"id": self._app_id, "subscribed_fields": fields}] if fields else []
        return Reply(200, {"data": data})

    def _message(self, body: dict, page_id: str) -> Reply:
        contact = body.get("recipient", {}).get("id")
        if not contact:
            return refusal(400, 100, "(#100) The parameter recipient is required")
        if contact in self.unavailable:
            return refusal(400, 551, "(#551) This person isn't available right now.", 1545041)
        if "sender_action" in body:
            return self._action(body)
        if self.window_is_closed(contact):
            outside = "(#10) This message is sent outside of allowed window."
            return refusal(400, 10, outside, 2018278)
        message = body.get("message", {})
        wrong = _wrong_message(body, message)
        if wrong:
            return refusal(400, 100, f"(#100) {wrong}")
        if self.exceeded_rate(contact):
            return refusal(400, 613, "(#613) Calls to this api have exceeded the rate limit.")
        message_id = f"m_{uuid.uuid4().hex}"
        reference = message.get("metadata")
        self.take(Taken(contact, message["text"], message_id, body, reference, time.time()))
        return Reply(200, {"recipient_id": contact, "message_id": message_id})

    def _action(self, body: dict) -> Reply:
        if body["sender_action"] not in ACTIONS or "message" in body:
            return refusal(400, 100, "(#100) Param sender_action is invalid")
        self.signs.append(body)
        return Reply(200, {"recipient_id": body["recipient"]["id"]})

    def report_to(self, url: str, page_id: str) -> None:
        """Sends the echo, the delivery and the read of every message, as Meta does."""

        def report(taken: Taken) -> None:
            milliseconds = int(taken.at * 1000)
            echo = {"is_echo": True, "app_id": int(self._app_id), "mid": taken.message_id}
            echo |= {"metadata": taken.reference, "text": taken.text}
            watermark = {"watermark": milliseconds}
            delivery = {"mids": [taken.message_id], **watermark}
            events = {"echo": (page_id, {"message": echo})}
            events |= {"delivery": (taken.to, {"delivery": delivery})}
            events |= {"read": (taken.to, {"read": watermark})}
            for name in shuffled(list(events), self.shuffle_seed):
                sender, event = events[name]
                other = taken.to if sender == page_id else page_id
                sides = {"sender": {"id": sender}, "recipient": {"id": other}}
                entry = {"messaging": [{**sides, "timestamp": milliseconds, **event}]}
                post_signed(url, _notification(page_id, entry), self._app_secret)

        self.receipts = report


def _notification(page_id: str, entry: dict) -> bytes:
    body = {"object": "page", "entry": [{"id": page_id, "time": 0, **entry}]}
    return json.dumps(body).encode()


def _wrong_message(body: dict, message: dict) -> str | None:
    text, replies = message.get("text"), message.get("quick_replies", [])
    if body.get("messaging_type") not in ("RESPONSE", "UPDATE", "MESSAGE_TAG"):
        return "Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG}"
    if not isinstance(text, str) or not text or len(text) > LONGEST_TEXT:
        return f"Length of param message[text] must be 1 to {LONGEST_TEXT}"
    if len(replies) > MOST_QUICK_REPLIES:
        return f"There may be {MOST_QUICK_REPLIES} quick replies"
    for reply in replies:
        if not 1 <= len(reply["title"]) <= LONGEST_TITLE or len(reply["payload"]) > LONGEST_PAYLOAD:
            return "Param quick_replies is invalid"
    return None


def refusal(status: int, code: int, message: str, subcode: int | None = None) -> Reply:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    return Reply(status, {"error": error | ({"error_subcode": subcode} if subcode else {})})
