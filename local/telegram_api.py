"""A stand-in for Telegram's Bot API: real HTTP, and the checks that Telegram makes.

Source: https://core.telegram.org/bots/api
"""

import itertools
import math
import re
import time
import urllib.parse

from local.json_server import Reply, Request
from local.vendor_api import Taken, VendorApi

ROUTE = re.compile(r"/bot([^/]+)/(\w+)")
FILE = re.compile(r"/file/bot([^/]+)/files/(.+)")
LARGEST_FILE_BYTES = 20 * 1024 * 1024
LONGEST_TEXT = 4096
LONGEST_CALLBACK_BYTES = 64
ACTIONS = ("typing", "upload_photo", "upload_document", "record_voice")
MOST_TO_A_GROUP = 20  # in any minute
PORTS = (443, 80, 88, 8443)


class TelegramApi(VendorApi):
    """`webhook`: what setWebhook was given; `blocked`: chats that do not want to hear from us;
    `moved`: groups that became supergroups, by their old ids."""

    pair_rate, account_rate = (1, 3), (30, 30)

    def __init__(self, bot_token: str, username: str = "demo_bot", port: int = 0):
        self._bot_token, self._username = bot_token, username
        self._numbers = itertools.count(1)
        self._answered: set[str] = set()
        self._group_sends: dict[int, list[float]] = {}
        self.blocked: set[int] = set()
        self.moved: dict[int, int] = {}
        self.webhook: dict = {}
        self.pending, self.last_error = 0, ""
        super().__init__(port)

    def answer(self, request: Request) -> Reply:
        file = FILE.fullmatch(request.path)
        if file and file[1] == self._bot_token and file[2] in self.files:
            return Reply(200, self.files[file[2]])
        route = ROUTE.fullmatch(request.path)
        if route is None or route[1] != self._bot_token:
            return error(401, "Unauthorized")
        method = getattr(self, f"_{route[2]}", None)
        if method is None:
            return error(404, "Not Found: method not found")
        body = request.json() if request.body else {}
        return method(body)

    def read_answer(self, answer: dict) -> None:
        """To a webhook: the call in it is carried out, and nobody is told what became of it."""
        if "method" in answer:
            getattr(self, f"_{answer['method']}")(answer)

    def _sendMessage(self, body: dict) -> Reply:
        chat_id, text = body.get("chat_id"), body.get("text")
        if not isinstance(chat_id, int):
            return error(400, "Bad Request: chat_id is empty")
        if chat_id in self.blocked:
            return error(403, "Forbidden: bot was blocked by the user")
        if chat_id in self.moved:
            refused = error(400, "Bad Request: group chat was upgraded to a supergroup chat")
            moved = {"migrate_to_chat_id": self.moved[chat_id]}
            return Reply(400, refused.body | {"parameters": moved})
        if not isinstance(text, str) or not text.strip():
            return error(400, "Bad Request: message text is empty")
        if _units(text) > LONGEST_TEXT:
            return error(400, "Bad Request: message is too long")
        wrong = _wrong_entity(text, body.get("entities", [])) or _wrong_markup(body)
        if wrong:
            return error(400, f"Bad Request: {wrong}")
        if self.exceeded_rate(str(chat_id)):
            return too_many_requests(1)
        if self.keeps_rates and chat_id < 0 and (seconds := self._group_wait_seconds(chat_id)):
            return too_many_requests(seconds)
        message_id = next(self._numbers)
        taken = Taken(str(chat_id), text, f"{chat_id}:{message_id}", body, None, time.time())
        self.take(taken)
        return _result({"message_id": message_id, "chat": {"id": chat_id}, "text": text})

    def _group_wait_seconds(self, chat_id: int) -> int:
        """0: the message was counted."""
        now = time.monotonic()
        lately = [at for at in self._group_sends.get(chat_id, []) if at > now - 60]
        if len(lately) >= MOST_TO_A_GROUP:
            return math.ceil(lately[0] + 60 - now)
        self._group_sends[chat_id] = [*lately, now]
        return 0

    def _getFile(self, body: dict) -> Reply:
        file_id = body.get("file_id")
        if file_id not in self.files:
            return error(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        size = len(self.files[file_id])
        if size > LARGEST_FILE_BYTES:
            return error(400, "Bad Request: file is too big")
        return _result({"file_id": file_id, "file_size": size, "file_path": f"files/{file_id}"})

    def _sendChatAction(self, body: dict) -> Reply:
        if body.get("action") not in ACTIONS:
            return error(400, "Bad Request: wrong parameter action in request")
        self.signs.append(body)
        return _result(True)

    def _answerCallbackQuery(self, body: dict) -> Reply:
        press_id = body.get("callback_query_id")
        if not press_id or press_id in self._answered:
            return error(
                400,
                "Bad Request: query is too old and response timeout expired or query ID is invalid",
            )
        self._answered.add(press_id)
        self.signs.append(body)
        return _result(True)

    def _getMe(self, body: dict) -> Reply:
        bot_id = int(self._bot_token.partition(":")[0])
        return _result({"id": bot_id, "is_bot": True, "username": self._username})

    def _setWebhook(self, body: dict) -> Reply:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", body.get("secret_token", "")):
            return error(400, "Bad Request: secret token contains unallowed characters")
        if not str(body.get("url", "")).startswith("https://"):
            return error(400, "Bad Request: bad webhook: An HTTPS URL must be provided")
        if (urllib.parse.urlsplit(body["url"]).port or 443) not in PORTS:
            return error(
                400,
                "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
            )
        self.webhook = body
        return _result(True)

    def _getWebhookInfo(self, body: dict) -> Reply:
        found = {"url": self.webhook.get("url", ""), "pending_update_count": self.pending}
        found["allowed_updates"] = self.webhook.get("allowed_updates", [])
        if self.last_error:
            found |= {"last_error_date": int(time.time()), "last_error_message": self.last_error}
        return _result(found)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _wrong_entity(text: str, entities: list) -> str | None:
    for entity in entities:
        end = entity["offset"] + entity["length"]
        if entity["offset"] < 0 or entity["length"] < 1 or end > _units(text):
            return "can't parse entities: entity is out of bounds"
        if entity["type"] == "text_link" and not entity.get("url"):
            return "can't parse entities: URL is empty"
    return None


def _wrong_markup(body: dict) -> str | None:
    rows = body.get("reply_markup", {}).get("inline_keyboard", [])
    for button in (button for row in rows for button in row):
        if not 1 <= len(button.get("callback_data", "").encode()) <= LONGEST_CALLBACK_BYTES:
            return "BUTTON_DATA_INVALID"
    reply = body.get("reply_parameters", {})
    if reply and not isinstance(reply.get("message_id"), int):
        return "message to be replied not found"
    return None


def _result(value: object) -> Reply:
    return Reply(200, {"ok": True, "result": value})


def error(code: int, description: str) -> Reply:
    body = {"ok": False, "error_code": code, "description": description}
    return Reply(code, body)


def too_many_requests(seconds: int) -> Reply:
    reply = error(429, f"Too Many Requests: retry after {seconds}")
    return Reply(429, reply.body | {"parameters": {"retry_after": seconds}})
