"""What connecting an account of each vendor asks for, and how its account is recognised."""

from collections.abc import Callable
from dataclasses import dataclass, field

import f.channels.graph as graph
import f.channels.meta_setup as meta_setup
from f.channels.messenger_sending import CODES as MESSENGER_CODES
from f.channels.telegram_sending import API_URL as TELEGRAM_URL
from f.channels.telegram_setup import bot_of
from f.channels.twilio_parsing import bare
from f.channels.twilio_sending import API_URL as TWILIO_URL
from f.channels.twilio_sending import get
from f.channels.vendor_json import words
from f.channels.whatsapp_sending import CODES as WHATSAPP_CODES
from local.errors import CannotRun

Identify = Callable[[dict], tuple[str, dict]]


@dataclass(frozen=True)
class Kind:
    """`asked`: credentials with the question for each; `generated`: made here where not given;
    `identify`: asks the vendor, and gives the account's id and first settings."""

    name: str
    api_url: str
    asked: dict[str, str]
    identify: Identify
    what_next: str
    generated: tuple[str, ...] = ()
    optional: tuple[str, ...] = field(default=())

    @property
    def path(self) -> str:
        """Of its address at this installation; its key follows."""
        return "/api/web" if self.name == "web" else "/api/r/chatmill"

    @property
    def secret(self) -> set[str]:
        return {*self.asked, *self.generated, *self.optional} - {"account_id"}


def _whatsapp(credentials: dict) -> tuple[str, dict]:
    number = graph.call(
        credentials, "GET", "?fields=display_phone_number", None, WHATSAPP_CODES, "WhatsApp"
    )
    # An account of others would be subscribed at once, and theirs are the messages that come then.
    if problems := meta_setup.check_belonging(credentials):
        raise CannotRun(f"nothing was saved: {problems[0].sentence}.")
    shown = words(number.get("display_phone_number"), 40)
    return credentials["account_id"], {"names": [shown]} if shown else {}


def _messenger(credentials: dict) -> tuple[str, dict]:
    path = f"/subscribed_apps{graph.proof_of(credentials)}"
    graph.call(credentials, "GET", path, None, MESSENGER_CODES, "Messenger")
    return credentials["account_id"], {}


def _telegram(credentials: dict) -> tuple[str, dict]:
    bot_id = credentials["bot_token"].partition(":")[0]
    account_id, user_name = bot_of({**credentials, "account_id": bot_id})
    return account_id, {"names": [user_name]} if user_name else {}


def _twilio(credentials: dict) -> tuple[str, dict]:
    account_id = bare(credentials["account_id"])
    path = f"/2010-04-01/Accounts/{credentials['account_sid']}.json"
    get({**credentials, "account_id": account_id}, TWILIO_URL, path)
    return account_id, {}


def _web(credentials: dict) -> tuple[str, dict]:
    """Nobody to ask. A new channel's key is drawn later, and is its account too."""
    return credentials.get("embed_key") or "", {}


META = {
    "app_secret": "App secret (Meta: App settings > Basic)",
    "access_token": "Access token (Meta: a system user's, or the Page's)",
}

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "whatsapp",
            graph.GRAPH_URL,
            {
                "account_id": "Phone number id (WhatsApp > API setup)",
                "waba_id": "WhatsApp Business account id (beside it)",
                **META,
            },
            _whatsapp,
            "Meta asks the webhook for its handshake: it must be reachable from outside now.",
            ("verify_token",),
            optional=("app_id",),
        ),
        Kind(
            "messenger",
            graph.GRAPH_URL,
            {"account_id": "Page id", "app_id": "App id", **META},
            _messenger,
            "Enter the webhook's address and the verify token in the app's dashboard, once.",
            ("verify_token",),
        ),
        Kind(
            "telegram",
            TELEGRAM_URL,
            {"bot_token": "Bot token (from @BotFather)"},
            _telegram,
            "In groups the bot sees commands, replies and mentions; more with privacy off.",
            ("secret_token",),
        ),
        Kind(
            "twilio",
            TWILIO_URL,
            {
                "account_id": "WhatsApp sender, +1415...",
                "account_sid": "Account SID, AC...",
                "auth_token": "Auth token of the same (sub-)account",
            },
            _twilio,
            "Enter the address with #rc=3&rp=all behind it as the sender's webhook in Twilio.",
            optional=("messaging_service_sid", "api_key", "api_secret", "next_auth_token"),
        ),
        Kind(
            "web",
            "",
            {},
            _web,
            "Put the script's tag into your pages, before </body>. With the secret your own server"
            " proves who a visitor is (docs/web_chat.md).",
            ("identity_secret",),
        ),
    )
}
