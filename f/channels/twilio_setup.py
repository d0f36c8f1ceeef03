"""Look at a Twilio account and its WhatsApp sender. Addresses are set in Twilio's console.

Source: https://www.twilio.com/docs/whatsapp/api/senders
"""

from f.channels.checks import Problem, problem_of, same_address
from f.channels.twilio_sending import API_URL, MESSAGING_URL, get
from f.channels.vendor_json import items, mapping, words
from f.shared.errors import ChatmillError

SENDERS = "/v2/Channels/Senders?Channel=whatsapp&PageSize=100"


def check(credentials: dict) -> list[Problem]:
    try:
        account = get(
            credentials, API_URL, f"/2010-04-01/Accounts/{credentials['account_sid']}.json"
        )
        senders = items(get(credentials, MESSAGING_URL, SENDERS).get("senders"))
    except ChatmillError as error:
        return [problem_of(error)]
    if words(account.get("status"), 40) != "active":
        return [Problem("account_restricted", words(account.get("status"), 40))]
    wanted = f"whatsapp:+{credentials['account_id']}"
    found = [one for one in map(mapping, senders) if one.get("sender_id") == wanted]
    return _problems_of(found[0], credentials) if found else [Problem("account_unknown")]


def _problems_of(sender: dict, credentials: dict) -> list[Problem]:
    webhook, status = mapping(sender.get("webhook")), words(sender.get("status"), 40)
    address = words(webhook.get("callback_url"), 2000)
    problems = [] if status == "ONLINE" else [Problem("account_restricted", status)]
    if not address:
        problems.append(Problem("not_subscribed"))
    elif not same_address(address, credentials.get("webhook_url")):
        problems.append(Problem("webhook_elsewhere"))
    if "rc=" not in address.partition("#")[2] and not webhook.get("fallback_url"):
        problems.append(Problem("no_retry"))
    return problems
