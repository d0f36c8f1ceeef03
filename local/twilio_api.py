"""A stand-in for Twilio: real HTTP, and the checks that Twilio makes, with signed status callbacks.

Sources: https://www.twilio.com/docs/messaging/api/message-resource,
https://www.twilio.com/docs/conversations/api/conversation-message-resource and, for what it tells
of each participant, https://www.twilio.com/docs/conversations/conversations-webhooks
"""

import base64
import json
import re
import time
import uuid
from urllib.parse import urlencode

import urllib3

from f.channels.signatures import twilio_signature
from local.json_server import Reply, Request
from local.vendor_api import Taken, VendorApi, form_of, shuffled

MESSAGES = re.compile(r"/2010-04-01/Accounts/(\w+)/Messages\.json")
CONVERSATION = re.compile(r"/v1/Conversations/(CH\w+)/Messages")
MEDIA = re.compile(r"/2010-04-01/Accounts/\w+/Messages/\w+/Media/(\w+)")
CDN = "/cdn/"
ADDRESS = re.compile(r"whatsapp:(\+\d{5,20}|[A-Z]{2}\.[A-Za-z0-9.]+)")
TYPING = "/v2/Indicators/Typing.json"
LONGEST_TEXT = 1600
STATUSES = ["sent", "delivered", "read"]


class TwilioApi(VendorApi):
    """Reports of every message to its StatusCallback; of one into a Conversation, and of each of
    its `participants` apart, to `events_url`, which in Twilio's console is the Conversations'
    post-event address. `shuffle_seed` gives them another order."""

    pair_rate, account_rate = (1 / 6, 45), (80, 80)

    def __init__(self, account_sid: str, auth_token: str, sender: str, port: int = 0):
        self._account_sid, self._auth_token = account_sid, auth_token
        self._sender = f"whatsapp:+{sender}"
        self.opted_out: set[str] = set()
        self.shuffle_seed: int | None = None
        self.cdn_url: str | None = None
        self.senders: list[dict] = []
        self.participants: dict[str, list[str]] = {}
        self.events_url: str | None = None
        super().__init__(port)
        self.receipts = self._report

    def answer(self, request: Request) -> Reply:
        if request.path.startswith(CDN) and request.path.removeprefix(CDN) in self.files:
            self.signs.append({"cdn": request.headers.get("authorization")})
            return Reply(200, self.files[request.path.removeprefix(CDN)])
        basic = base64.b64encode(f"{self._account_sid}:{self._auth_token}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return refusal(401, 20003, "Authenticate")
        if request.path == f"/2010-04-01/Accounts/{self._account_sid}.json":
            return Reply(200, {"sid": self._account_sid, "status": "active"})
        if request.path.startswith("/v2/Channels/Senders"):
            return Reply(200, {"senders": self.senders})
        media = MEDIA.fullmatch(request.path)
        if media and media[1] in self.files:
            return Reply(307, b"", {"location": f"{self.cdn_url or self.base_url}{CDN}{media[1]}"})
        form = form_of(request)
        if request.path == TYPING:
            self.signs.append(form)
            return Reply(200, {"success": True})
        into_conversation = CONVERSATION.fullmatch(request.path)
        if into_conversation:
            return self._conversation_message(into_conversation[1], form)
        account = MESSAGES.fullmatch(request.path)
        if account is None or account[1] != self._account_sid:
            return refusal(404, 20404, "The requested resource was not found")
        return self._message(form)

    def _message(self, form: dict) -> Reply:
        refused = self._refused(form)
        if refused:
            return refused
        message_id = f"SM{uuid.uuid4().hex}"
        body = form | {"is_template": "ContentSid" in form}
        self.take(Taken(form["To"], form.get("Body", ""), message_id, body, None, time.time()))
        return Reply(201, {"sid": message_id, "status": "queued", "error_code": None})

    def _refused(self, form: dict) -> Reply | None:
        to = form.get("To", "")
        if not ADDRESS.fullmatch(to):
            return refusal(400, 21211, "The 'To' number is not a valid phone number.")
        if form.get("From") != self._sender and "MessagingServiceSid" not in form:
            return refusal(400, 63007, "Could not find a Channel with the specified From address")
        if not (form.get("Body") or form.get("ContentSid")):
            return refusal(400, 21602, "Message body is required.")
        if len(form.get("Body", "")) > LONGEST_TEXT:
            return refusal(400, 21617, "The concatenated message body exceeds the limit")
        if to in self.opted_out:
            return refusal(400, 21610, "Attempt to send to unsubscribed recipient")
        if self.window_is_closed(to) and "ContentSid" not in form:
            return refusal(400, 63016, "Outside the allowed window")
        exceeded = self.exceeded_rate(to)
        if exceeded == "account":
            return refusal(429, 20429, "Too Many Requests")
        if exceeded:
            return refusal(400, 63018, "Rate limit exceeded for Channel")
        return None

    def _conversation_message(self, conversation: str, form: dict) -> Reply:
        if not form.get("Body") or len(form["Body"]) > LONGEST_TEXT:
            return refusal(400, 50214, "Message body is too long")
        json.loads(form.get("Attributes", "{}"))
        message_id = f"IM{uuid.uuid4().hex}"
        self.take(Taken(conversation, form["Body"], message_id, form, None, time.time()))
        return Reply(201, {"sid": message_id, "conversation_sid": conversation})

    def _report(self, taken: Taken) -> None:
        if self.events_url:
            self._report_participants(taken, self.events_url)
        url = taken.body.get("StatusCallback")
        for status in shuffled(STATUSES, self.shuffle_seed) if url else []:
            form = {"MessageSid": taken.message_id, "MessageStatus": status}
            form |= {"AccountSid": self._account_sid, "From": self._sender, "To": taken.to}
            self.post(url, form)

    def _report_participants(self, taken: Taken, url: str) -> None:
        """The window is each participant's own: one is told what another can't be told any more."""
        told = [
            {"ParticipantSid": f"MB{number}", "Status": status, "ErrorCode": code}
            for number, address in enumerate(self.participants.get(taken.to, []))
            for status, code in self._what_becomes_of(address)
        ]
        common = {"EventType": "onDeliveryUpdated", "AccountSid": self._account_sid}
        common |= {"ConversationSid": taken.to, "MessageSid": taken.message_id, "RetryCount": "0"}
        for one in shuffled(told, self.shuffle_seed):
            sids = {"DeliveryReceiptSid": f"DY{uuid.uuid4().hex}"}
            sids["ChannelMessageSid"] = f"SM{uuid.uuid4().hex}"
            self.post(url, common | one | sids)

    def _what_becomes_of(self, address: str) -> list[tuple[str, str]]:
        if address in self.opted_out:
            return [("undelivered", "63033")]
        if self.window_is_closed(address):
            return [("failed", "63016")]
        return [(status, "0") for status in STATUSES]

    def post(self, url: str, form: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """As Twilio signs: over the address with its query, and every field."""
        signed = twilio_signature(self._auth_token.encode(), url, list(form.items()))
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-twilio-signature": signed,
        }
        return urllib3.request("POST", url, body=urlencode(form), headers=headers, retries=False)


def refusal(status: int, code: int, message: str) -> Reply:
    return Reply(status, {"code": code, "message": message, "status": status, "more_info": ""})
