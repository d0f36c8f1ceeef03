"""What Meta checks of a message through WhatsApp, and in which words it refuses one.

Sources: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages and
https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

import uuid
from dataclasses import dataclass

from local.json_server import Reply, Request

LONGEST_TEXT = 4096
LONGEST_INTERACTIVE = 1024
LONGEST_REFERENCE = 512


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


def is_free_form(body: dict) -> bool:
    return body.get("type", "text") != "template"


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
