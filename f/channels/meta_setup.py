"""Look at a WhatsApp number or a Page at Meta, and have its events sent to us.

Sources: https://developers.facebook.com/docs/whatsapp/embedded-signup/webhooks/override and
https://developers.facebook.com/docs/messenger-platform/webhooks#subscribe
"""

import f.channels.graph as graph
from f.channels.checks import Problem, problem_of, same_address
from f.channels.messenger_sending import CODES as MESSENGER_CODES
from f.channels.vendor_json import identifier, items, mapping, words
from f.channels.whatsapp_codes import CODES as WHATSAPP_CODES
from f.shared.errors import ChatmillError

NUMBER_FIELDS = "?fields=display_phone_number,status,quality_rating,webhook_configuration"
PAGE_FIELDS = (
    *("messages", "messaging_postbacks", "message_echoes", "message_edits", "message_reactions"),
    *("message_deliveries", "message_reads", "messaging_referrals", "messaging_handovers"),
    *("standby", "messaging_policy_enforcement"),
)
HEALTHY = ("", "CONNECTED")


def check_number(credentials: dict) -> list[Problem]:
    try:
        number = graph.call(credentials, "GET", NUMBER_FIELDS, None, WHATSAPP_CODES, "WhatsApp")
    except ChatmillError as error:
        return [problem_of(error)]
    status = words(number.get("status"), 40)
    problems = [] if status in HEALTHY else [Problem("account_restricted", status)]
    addresses = mapping(number.get("webhook_configuration")).values()
    if not credentials.get("webhook_url"):
        problems.append(Problem("no_webhook_url"))
    elif not any(same_address(one, credentials["webhook_url"]) for one in addresses):
        problems.append(Problem("webhook_elsewhere" if addresses else "not_subscribed"))
    return problems


def subscribe_number(credentials: dict) -> None:
    """Of this number alone: the app's own address stays for its other numbers. Meta asks us for
    the verify token in the moment of the call."""
    override = {
        "override_callback_uri": credentials["webhook_url"],
        "verify_token": credentials["verify_token"],
    }
    body = {"webhook_configuration": override}
    graph.call(credentials, "POST", "", body, WHATSAPP_CODES, "WhatsApp")


def check_page(credentials: dict) -> list[Problem]:
    try:
        answer = graph.call(
            credentials,
            "GET",
            _proved("/subscribed_apps", credentials),
            None,
            MESSENGER_CODES,
            "Messenger",
        )
    except ChatmillError as error:
        return [problem_of(error)]
    apps = [mapping(one) for one in items(answer.get("data"))]
    own = [one for one in apps if identifier(one.get("id")) == str(credentials.get("app_id"))]
    if not own:
        return [Problem("not_subscribed")]
    missing = set(PAGE_FIELDS) - {words(one) for one in items(own[0].get("subscribed_fields"))}
    return [Problem("fields_missing", ", ".join(sorted(missing)))] if missing else []


def subscribe_page(credentials: dict) -> None:
    """To the app's own address, which is set once in the app's dashboard."""
    path = _proved("/subscribed_apps", credentials)
    body = {"subscribed_fields": list(PAGE_FIELDS)}
    graph.call(credentials, "POST", path, body, MESSENGER_CODES, "Messenger")


def _proved(path: str, credentials: dict) -> str:
    return f"{path}{graph.proof_of(credentials)}"
