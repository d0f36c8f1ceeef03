"""Look at a bot at Telegram, and have its updates sent to us.

Source: https://core.telegram.org/bots/api#getwebhookinfo
"""

from f.channels.checks import Problem, problem_of, same_address
from f.channels.telegram_sending import call
from f.channels.vendor_json import identifier, items, mapping, words
from f.shared.errors import ChatmillError

UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
MANY_PENDING = 100


def check(credentials: dict) -> list[Problem]:
    try:
        bot = mapping(call(credentials, "getMe", {}).get("result"))
        info = mapping(call(credentials, "getWebhookInfo", {}).get("result"))
    except ChatmillError as error:
        return [problem_of(error)]
    if identifier(bot.get("id")) != credentials["account_id"]:
        return [Problem("account_unknown", identifier(bot.get("id")) or "")]
    return _problems_of(info, credentials)


def _problems_of(info: dict, credentials: dict) -> list[Problem]:
    if not info.get("url"):
        return [Problem("not_subscribed")]
    problems = []
    if not same_address(info["url"], credentials.get("webhook_url")):
        problems.append(Problem("webhook_elsewhere"))
    missing = set(UPDATES) - {words(one) for one in items(info.get("allowed_updates"))}
    if missing:
        problems.append(Problem("fields_missing", ", ".join(sorted(missing))))
    pending = info.get("pending_update_count")
    if info.get("last_error_message") and isinstance(pending, int) and pending:
        problems.append(Problem("webhook_failing", words(info["last_error_message"], 100)))
    elif isinstance(pending, int) and pending > MANY_PENDING:
        problems.append(Problem("webhook_failing", f"{pending} updates wait"))
    return problems


def subscribe(credentials: dict) -> None:
    body = {
        "url": credentials["webhook_url"],
        "secret_token": credentials["secret_token"],
        "allowed_updates": list(UPDATES),
    }
    call(credentials, "setWebhook", body)


def bot_of(credentials: dict) -> tuple[str, str]:
    """(id, user name) of whoever's token it is."""
    bot = mapping(call(credentials, "getMe", {}).get("result"))
    return identifier(bot.get("id")) or "", words(bot.get("username"), 64)
