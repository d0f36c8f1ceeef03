"""What can be wrong with a connected channel, in words that say what to do."""

from dataclasses import dataclass

from f.shared.errors import (
    ChatmillError,
    DeliveryUnknown,
    Misconfigured,
    UpstreamBusy,
    UpstreamDown,
)

WORDS = {
    "unreachable": "the vendor's API can't be reached; look at this machine's network and proxy",
    "vendor_trouble": "the vendor's API answers with an error of its own; wait",
    "credentials_refused": "the vendor refuses the token: it is wrong, expired or was revoked;"
    " enter a new one with ./chatmill channel add",
    "permission_missing": "the token lacks a permission for this account; grant it in the vendor's"
    " console, then enter a new token with ./chatmill channel add",
    "account_unknown": "the token is fine, but not for this account; compare the account's id",
    "account_restricted": "the vendor restricted the account; look in its console",
    "waba_unknown": "the channel does not know its WhatsApp Business account, so nobody can say"
    " whether its messages come to us; run ./chatmill channel add whatsapp again and give its id",
    "waba_of_others": "this phone number is not of the WhatsApp Business account that the channel"
    " names, so Meta sends us the messages of other numbers; run ./chatmill channel add whatsapp"
    " again with the account's id that Meta shows beside the number",
    "not_subscribed": "the vendor sends us nothing of this account; run ./chatmill channel add"
    " again, or subscribe in its console",
    "fields_missing": "some kinds of events are not subscribed; run ./chatmill channel add again",
    "webhook_elsewhere": "the vendor posts to another address than this channel's",
    "webhook_failing": "the vendor could not post to us lately; open the webhook's address from"
    " outside, and look at its certificate and proxy",
    "item_refused": "the vendor told something that our database does not take: a bug of ours; what"
    " came is kept for a week in webhook_deliveries, and docs/error_codes.md says how it is taken"
    " again",
    "silent": "nothing comes, though messages usually do at this time of day; open the webhook's"
    " address from outside, and look for a failing webhook in the vendor's console",
    "replies_held": "replies were ready after the vendor's 24 hours and wait for a person; write to"
    " these contacts another way, or name a template in the channel's settings that asks them",
    "no_retry": "Twilio tries a message once and drops it when we are away: append"
    " #rc=3&rp=all to the webhook's address, or set a fallback URL",
    "credentials_missing": "no credentials are entered, so its webhooks are refused; run"
    " ./chatmill channel add",
    "credentials_sealed": "the credentials do not open with this sealing key; enter them again with"
    " ./chatmill channel add",
    "web_chat_unreachable": "nothing answers at the web chat's address; ./chatmill serve or"
    " ./chatmill web has to run behind it",
    "no_origins": "no website may embed the widget; name them with ./chatmill channel add web"
    " --origins",
    "no_webhook_url": "the channel does not know its own webhook's address; give --public-url",
}


@dataclass(frozen=True)
class Problem:
    """`code` is a key of WORDS; `details` holds ids and the vendor's codes, never a secret."""

    code: str
    details: str = ""

    @property
    def sentence(self) -> str:
        return f"{WORDS[self.code]} ({self.details})" if self.details else WORDS[self.code]


def problem_of(error: ChatmillError) -> Problem:
    """What a refused call to the vendor says about the channel."""
    if isinstance(error, UpstreamDown | DeliveryUnknown):
        status = error.status
        return Problem("vendor_trouble", str(status)) if status else Problem("unreachable")
    if isinstance(error, UpstreamBusy):
        return Problem("vendor_trouble", "429")
    if isinstance(error, Misconfigured):
        return Problem(error.code or "credentials_refused")
    return Problem("account_unknown", getattr(error, "code", None) or "")


def same_address(given: object, ours: str | None) -> bool:
    """Fragments are settings of Twilio's and no part of the address."""
    return isinstance(given, str) and bool(ours) and given.partition("#")[0] == ours
