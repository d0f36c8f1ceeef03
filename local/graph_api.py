"""A stand-in for Meta's Graph API: real HTTP, and the checks that Meta makes before it accepts."""

import re
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from local.json_server import JsonServer, Reply, Request

ROUTE = re.compile(r"/v\d+\.\d+/([^/?]+)/messages(?:\?.*)?")
NUMBER = re.compile(r"/v\d+\.\d+/([^/?]+)(?:\?.*)?")
LONGEST_TEXT = 4096
LONGEST_INTERACTIVE = 1024
LONGEST_REFERENCE = 512


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


@dataclass
class Refusal(Exception):
    status: int
    code: int
    message: str
    type: str = "OAuthException"
    subcode: int | None = None
    details: str | None = None

    def reply(self) -> Reply:
        error = {"message": self.message, "type": self.type, "code": self.code}
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        return Reply(self.status, {"error": {**error, "fbtrace_id": uuid.uuid4().hex[:22]}})


class GraphApi(JsonServer):
    """`.accepted` lists what was accepted; `delay_seconds` is how long Meta takes to say so."""

    def __init__(self, access_token: str, phone_number_ids: Iterable[str], port: int = 0):
        self._access_token = access_token
        self._phone_number_ids = set(phone_number_ids)
        self.accepted: list[Accepted] = []
        self.delay_seconds = 0.0
        self.webhooks: dict[str, str] = {}
        self.status = "CONNECTED"
        self.handshake: Callable[[dict], bool] | None = None
        super().__init__(self._answer, port)

    def _answer(self, request: Request) -> Reply:
        try:
            answer = self._accept(request)
        except Refusal as refusal:
            return refusal.reply()
        time.sleep(self.delay_seconds)
        return Reply(200, answer)

    def _accept(self, request: Request) -> dict:
        if request.bearer != self._access_token:
            message = "Invalid OAuth access token - Cannot parse access token"
            raise Refusal(401, 190, message)
        number = NUMBER.fullmatch(request.path)
        if number and number[1] in self._phone_number_ids:
            return self._configure(request, number[1])
        phone_number_id = self._phone_number_id(request)
        body = body_of(request)
        if body.get("status") == "read":
            check_read_receipt(body)
            return {"success": True}
        to = check_text_message(body)
        accepted = Accepted(
            phone_number_id=phone_number_id,
            to=to,
            text=words_of(body),
            message_id=f"wamid.{uuid.uuid4().hex.upper()}",
            path=request.path,
            body=body,
            at=time.time(),
        )
        self.accepted.append(accepted)
        return answer_to(accepted)

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


def answer_to(accepted: Accepted) -> dict:
    contact = {"input": accepted.to, "wa_id": re.sub(r"\D", "", accepted.to) or accepted.to}
    return {
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [{"id": accepted.message_id}],
    }


def body_of(request: Request, is_message: bool = True) -> dict:
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, 100, "(#100) The body must be a JSON object.")
    if is_message and body.get("messaging_product") != "whatsapp":
        raise Refusal(400, 100, "(#100) The parameter messaging_product is required.")
    return body


def check_read_receipt(body: dict) -> None:
    if not isinstance(body.get("message_id"), str):
        raise missing("message_id")


def check_text_message(body: dict) -> str:
    """Answers the recipient."""
    to = body.get("to") or body.get("recipient")
    if not isinstance(to, str) or not to:
        raise missing("to")
    check_optional(body)
    kind = body.get("type", "text")
    if kind == "interactive":
        check_interactive(body.get("interactive"))
    elif kind == "template":
        check_template(body.get("template"))
    elif kind == "text":
        check_text(body.get("text"))
    else:
        raise bad_value("type", "this stand-in accepts text, interactive and template")
    return to


def check_text(text: object) -> None:
    if not isinstance(text, dict) or not isinstance(text.get("body"), str) or not text["body"]:
        raise missing("text['body']")
    if len(text["body"]) > LONGEST_TEXT:
        limit = f"Param text['body'] must be at most {LONGEST_TEXT} characters long."
        raise Refusal(400, 100, f"(#100) {limit}")


def check_template(template: object) -> None:
    if not isinstance(template, dict) or not template.get("name"):
        raise missing("template['name']")
    if not isinstance(template.get("language"), dict):
        raise missing("template['language']")


def check_interactive(interactive: object) -> None:
    """Three buttons of 20 characters, or a list of ten rows of 24."""
    if not isinstance(interactive, dict) or not interactive.get("body", {}).get("text"):
        raise missing("interactive['body']")
    if len(interactive["body"]["text"]) > LONGEST_INTERACTIVE:
        raise bad_value("interactive['body']", f"at most {LONGEST_INTERACTIVE} characters")
    action = interactive.get("action", {})
    buttons = [button["reply"]["title"] for button in action.get("buttons", [])]
    rows = [row["title"] for part in action.get("sections", []) for row in part["rows"]]
    for titles, most, longest in ((buttons, 3, 20), (rows, 10, 24)):
        if len(titles) > most or any(not 0 < len(title) <= longest for title in titles):
            raise bad_value("interactive['action']", f"{most} titles of {longest} characters")
    if not (buttons or rows) or (rows and not action.get("button")):
        raise missing("interactive['action']")


def words_of(body: dict) -> str:
    kind = body.get("type", "text")
    if kind == "interactive":
        return body["interactive"]["body"]["text"]
    return body["text"]["body"] if kind == "text" else f"[template {body['template']['name']}]"


def check_optional(body: dict) -> None:
    if body.get("recipient_type", "individual") not in ("individual", "group"):
        raise bad_value("recipient_type", "it is individual or group")
    reference = body.get("biz_opaque_callback_data", "")
    if not isinstance(reference, str) or len(reference) > LONGEST_REFERENCE:
        raise bad_value("biz_opaque_callback_data", f"at most {LONGEST_REFERENCE} characters")


def missing(parameter: str) -> Refusal:
    message = "(#131008) Required parameter is missing"
    return Refusal(400, 131008, message, details=f"The parameter {parameter} is required.")


def bad_value(parameter: str, details: str) -> Refusal:
    message = "(#131009) Parameter value is not valid"
    return Refusal(400, 131009, message, details=f"{parameter}: {details}.")
