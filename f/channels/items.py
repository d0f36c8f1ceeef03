"""One item of a delivery into the database; each by one function there, safe to do again."""

import json
from dataclasses import replace

import f.channels.commands as commands
import f.channels.options as options
import f.channels.registry as registry
from f.channels.accounts import Account
from f.channels.content import named
from f.channels.groups import is_meant_for, without_mention
from f.channels.messages import (
    Echo,
    Edit,
    GroupMove,
    Handover,
    InboundMessage,
    Item,
    NewIdentity,
    Notice,
    OptOut,
    Reaction,
    Receipt,
    Request,
    Revocation,
    Watermark,
)
from f.shared.text import storable


def accept(conn, account: Account, item: Item, wake: list[dict]) -> str:
    """What became of it, in a word. Conversations to wake are added to `wake`."""
    if isinstance(item, InboundMessage):
        return _accept_message(conn, account, item, wake)
    if isinstance(item, Receipt):
        return _accept_receipt(conn, account, item)
    if isinstance(item, Echo) and item.app_id and item.app_id == _own_app(account):
        return _accept_receipt(conn, account, _receipt_of(item))
    if isinstance(item, Echo) and item.app_id in map(str, account.settings.get("automations", [])):
        return "ignored:automation"  # the organization says that no person writes by this app
    function, arguments = _call_for(account, item)
    return _one(conn, function, account, *arguments)


def _call_for(account: Account, item: Item) -> tuple[str, tuple]:
    match item:
        case Edit():
            return "accept_edit", (item.provider_message_id, item.text)
        case Revocation():
            return "accept_revocation", (item.provider_message_id,)
        case Reaction():
            return "accept_reaction", (item.provider_message_id, item.emoji)
        case Watermark():
            return "accept_watermark", (item.contact_key, item.status, item.up_to)
        case Echo():
            return "accept_echo", (
                item.contact_key,
                item.contact_phone,
                item.provider_message_id,
                item.text or f"[{item.kind}]",
                item.sent_at,
                item.client_reference,
            )
    return _call_for_whom(account, item)


def _call_for_whom(account: Account, item: Item) -> tuple[str, tuple]:
    """What is told of contacts, groups and the account, and of no message."""
    match item:
        case Handover():
            own_app = _own_app(account)
            is_ours = item.is_ours or (own_app is not None and item.new_owner == own_app)
            return "accept_handover", (item.contact_key, is_ours)
        case NewIdentity():
            return "accept_identity", (item.old_key, item.new_key, item.new_phone)
        case GroupMove():
            return "accept_group_move", (item.old_id, item.new_id)
        case OptOut():
            return "accept_opt_out", (item.contact_key, item.is_out)
        case Notice():
            return "accept_notice", (item.code, item.subject)
    raise TypeError(f"no way to accept {type(item).__name__}")


def _one(conn, function: str, account: Account, *arguments) -> str:
    places = ", ".join(["%s"] * (1 + len(arguments)))
    with conn.cursor() as cursor:
        cursor.execute(
            f"select {function}({places})", (account.channel_id, *storable([*arguments]))
        )
        return cursor.fetchone()[0]


def _own_app(account: Account) -> str | None:
    return str(account.credentials.get("app_id") or "") or None


def _receipt_of(echo: Echo) -> Receipt:
    return Receipt(echo.provider_message_id, "sent", echo.sent_at, echo.client_reference)


def _accept_receipt(conn, account: Account, receipt: Receipt) -> str:
    arguments = (
        receipt.provider_message_id,
        receipt.status,
        receipt.client_reference,
        receipt.error_code,
        receipt.occurred_at,
    )
    if receipt.failure and not receipt.participant:
        _one(conn, "accept_failure", account, *arguments, receipt.failure)
    else:
        _one(conn, "accept_receipt", account, *arguments, receipt.participant or "")
    return "receipt"


def _accept_message(conn, account: Account, message: InboundMessage, wake: list[dict]) -> str:
    if message.contact_key == account.account_id:
        return "ignored:own_message"
    message = _in_our_words(conn, account, message)
    names = names_of(account)
    body = _body_of(message, names)
    # What is only passed on, or was written into an advertisement's button, commands nothing.
    command = None if message.referral else commands.read(body, account.settings)
    is_for_us = _is_for_us(message, names, command)
    if message.group_id and message.album_id and not message.is_addressed:
        _accept_earlier(conn, account, message, is_for_us, wake)
    with conn.cursor() as cursor:
        cursor.execute(
            "select outcome, conversation_id, wait_seconds from accept_message("
            "%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            storable(
                [
                    account.channel_id,
                    message.contact_key,
                    message.contact_phone,
                    message.contact_name and message.contact_name[:200],
                    message.provider_message_id,
                    message.kind,
                    body,
                    message.media and json.dumps(storable(message.media)),
                    message.reply_to,
                    message.sent_at,
                    message.group_id or "",
                    is_for_us,
                    message.referral and message.referral[:2000],
                    message.album_id,
                    message.language,
                    command and command.name,
                ]
            ),
        )
        outcome, conversation_id, wait_seconds = cursor.fetchone()
    if wait_seconds is not None:
        wake.append({"conversation_id": conversation_id, "wait_seconds": float(wait_seconds)})
    return outcome


def _accept_earlier(
    conn, account: Account, message: InboundMessage, is_for_us: bool, wake: list[dict]
) -> None:
    """One picture of an album names or quotes us, and those that came before it were not known to
    be for us; those that come after it, accept_message knows."""
    values = [account.channel_id, message.album_id, is_for_us, message.reply_to]
    with conn.cursor() as cursor:
        cursor.execute("select earlier_of_album(%s, %s, %s, %s)", storable(values))
        bodies = [body for (body,) in cursor]
    same = ("album_id", "group_id", "contact_key")
    for body in bodies:
        for delivery in registry.library(account.kind).parse(Request(body.encode())):
            for item in delivery.items:
                if isinstance(item, InboundMessage) and all(
                    getattr(item, name) == getattr(message, name) for name in same
                ):
                    _accept_message(conn, account, replace(item, is_addressed=True), wake)


def names_of(account: Account) -> list[str]:
    """What the chatbot is called by in groups: its names there, and the account's own id."""
    return [*account.settings.get("names", []), account.account_id]


def _body_of(message: InboundMessage, names: list[str]) -> str:
    text = without_mention(message.text, names) if message.group_id else message.text
    return text or (named(message.media) if message.media else f"[{message.kind}]")


def _is_for_us(message: InboundMessage, names: list[str], command) -> bool:
    if message.group_id is None or message.is_addressed:
        return True
    if command and command.addressee:
        return command.addressee.casefold() in map(str.casefold, names)
    is_command = command is not None and message.text.lstrip().startswith("/")
    said = message.text or message.heading
    return is_command or is_meant_for(said, message.mentioned, names)


def _in_our_words(conn, account: Account, message: InboundMessage) -> InboundMessage:
    """A bare number may be the answer to options that were shown numbered."""
    if message.kind != "text" or not options.NUMBER.fullmatch(message.text):
        return message
    asked = _one(conn, "last_reply", account, message.contact_key, message.group_id or "")
    title = options.chosen(message.text, asked or "")
    return replace(message, kind="button", text=title) if title else message
