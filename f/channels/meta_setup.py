"""Look at a WhatsApp number or a Page at Meta, and have its events sent to us.

Sources: https://developers.facebook.com/docs/whatsapp/embedded-signup/webhooks/override,
https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/subscribed_apps,
.../whats-app-business-account/phone_numbers and
https://developers.facebook.com/docs/messenger-platform/webhooks#subscribe
"""

from urllib.parse import quote

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
NUMBERS_A_PAGE, MOST_PAGES = 100, 50


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
    return [*problems, *_check_business_account(credentials)]


def check_belonging(credentials: dict) -> list[Problem]:
    """Whether the number is of the WhatsApp Business account (WABA) that it is said to be of."""
    if not credentials.get("waba_id"):
        return [Problem("waba_unknown")]
    try:
        has_number = _has_number(credentials)
    except ChatmillError as error:
        return [Problem(problem_of(error).code, _name_of(credentials))]
    return [] if has_number else [Problem("waba_of_others", _name_of(credentials))]


def _check_business_account(credentials: dict) -> list[Problem]:
    """Meta posts what a number gets to the apps that its WhatsApp Business account has subscribed,
    whatever address the number itself has."""
    if problems := check_belonging(credentials):
        return problems
    try:
        answer = _call_business_account(credentials, "GET", "subscribed_apps")
    except ChatmillError as error:
        return [Problem(problem_of(error).code, _name_of(credentials))]
    told = [mapping(one).get("whatsapp_business_api_data") for one in items(answer.get("data"))]
    apps = {identifier(mapping(one).get("id")) for one in told}
    # Without the app's id any will do: who may read the list holds the token of one of them.
    is_ours = str(credentials["app_id"]) in apps if credentials.get("app_id") else bool(apps)
    return [] if is_ours else [Problem("not_subscribed", _name_of(credentials))]


def _has_number(credentials: dict) -> bool:
    """Meta tells an account's numbers by pages."""
    wanted = f"phone_numbers?fields=id&limit={NUMBERS_A_PAGE}"
    page = wanted
    for _ in range(MOST_PAGES):
        answer = _call_business_account(credentials, "GET", page)
        numbers = [identifier(mapping(one).get("id")) for one in items(answer.get("data"))]
        if credentials["account_id"] in numbers:
            return True
        paging = mapping(answer.get("paging"))
        after = identifier(mapping(paging.get("cursors")).get("after"))
        if not (after and "next" in paging):
            return False
        page = f"{wanted}&after={quote(after, safe='')}"
    return True  # nobody has so many, and nothing says that it is not among them


def _name_of(credentials: dict) -> str:
    return f"WhatsApp Business account {credentials['waba_id']}"


def _call_business_account(credentials: dict, method: str, what: str) -> dict:
    path = f"/{quote(credentials['waba_id'], safe='')}/{what}"
    return graph.call(credentials, method, path, None, WHATSAPP_CODES, "WhatsApp", False)


def subscribe_number(credentials: dict) -> None:
    """The token's app to the number's WhatsApp Business account, and the address of this number
    alone: the app's own stays for its other numbers. Meta asks us for the verify token in the
    moment of the call."""
    if credentials.get("waba_id"):  # numbers that were connected without it have their address
        _call_business_account(credentials, "POST", "subscribed_apps")
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
