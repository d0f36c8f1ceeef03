"""Read what a WhatsApp message says, kind by kind.

Sources: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages and,
for what WhatsApp does not show us, .../webhooks/reference/messages/unsupported
"""

from f.channels.content import Content, media_of, unseen
from f.channels.vendor_json import identifier, items, mapping, object_in, words

NAME_LIMIT = 256
REFERRAL_LIMIT = 1000


def read_content(kind: str, message: dict) -> Content | None:
    """None for a kind that we do not know and for a message that says nothing."""
    read = READERS.get(kind)
    return read(kind, message) if read else None


def read_referral(message: dict) -> str | None:
    """The advertisement that the contact came by, or the product they ask about: the words are
    somebody else's and never an instruction."""
    referral = mapping(message.get("referral"))
    product = mapping(mapping(message.get("context")).get("referred_product"))
    parts = [
        words(referral.get("headline"), NAME_LIMIT),
        words(referral.get("body"), REFERRAL_LIMIT),
        words(referral.get("source_url"), REFERRAL_LIMIT),
        identifier(product.get("product_retailer_id")) or "",
    ]
    return "\n".join(part for part in parts if part) or None


def _read_text(kind: str, message: dict) -> Content | None:
    body = words(mapping(message.get(kind)).get("body"))
    return Content("text", body) if body.strip() else None


def _read_media(kind: str, message: dict) -> Content:
    """The `url` stays out: it is short-lived, and fetching starts from the id.

    With `errors` WhatsApp says that no file will ever come.
    """
    body = mapping(message.get(kind))
    errors = items(message.get("errors"))
    media = media_of(
        kind,
        provider_media_id=identifier(body.get("id")),
        media_type=words(body.get("mime_type"), NAME_LIMIT) or None,
        sha256=words(body.get("sha256"), NAME_LIMIT) or None,
        file_name=words(body.get("filename"), NAME_LIMIT) or None,
        is_voice=body.get("voice") is True,
        error_code=identifier(mapping(errors[0]).get("code")) if errors else None,
    )
    return Content("media", words(body.get("caption")), media)


def _read_location(kind: str, message: dict) -> Content:
    body = mapping(message.get(kind))
    point = ", ".join(str(body[key]) for key in ("latitude", "longitude") if _is_number(body, key))
    place = [words(body.get(key), NAME_LIMIT) for key in ("name", "address")]
    return Content("location", "\n".join(line for line in [*place, point] if line))


def _is_number(body: dict, key: str) -> bool:
    return isinstance(body.get(key), int | float) and abs(body[key]) <= 180


def _read_contacts(kind: str, message: dict) -> Content:
    """Other people's names and numbers: kept with the delivery, not passed on as words."""
    return Content("contacts")


def _read_interactive(kind: str, message: dict) -> Content | None:
    body = mapping(message.get(kind))
    for pressed in ("button_reply", "list_reply"):
        title = words(mapping(body.get(pressed)).get("title"))
        if title:
            return Content("button", title)
    if "nfm_reply" in body:
        return _read_form(mapping(body["nfm_reply"]))
    return None


def _read_form(reply: dict) -> Content:
    """A filled-in Flow: its answers line by line, without the token of the Flow.

    `response_json` is JSON inside JSON, and not always JSON.
    """
    answers = object_in(words(reply.get("response_json")).encode())
    lines = [f"{name}: {answer}" for name, answer in answers.items() if name != "flow_token"]
    return Content("form", words("\n".join(lines)) or words(reply.get("body")))


def _read_button(kind: str, message: dict) -> Content | None:
    """A quick reply of a template."""
    body = mapping(message.get(kind))
    text = words(body.get("text")) or words(body.get("payload"))
    return Content("button", text) if text else None


def _read_unsupported(kind: str, message: dict) -> Content | None:
    """A poll, a picture to be seen once, an animation. None where nobody wrote anything, or nothing
    says that somebody did: a message that was deleted comes without a type, too."""
    stated = words(mapping(message.get(kind)).get("type"), NAME_LIMIT)
    codes = {identifier(mapping(error).get("code")) for error in items(message.get("errors"))}
    is_written = stated not in NOT_WRITTEN if stated else WRITTEN_AND_HIDDEN in codes
    return unseen() if is_written else None


def _read_order(kind: str, message: dict) -> Content:
    body = mapping(message.get(kind))
    products = [mapping(item) for item in items(body.get("product_items"))]
    lines = [
        f"{identifier(item.get('quantity'))} × {identifier(item.get('product_retailer_id'))}"
        for item in products
    ]
    return Content("order", words("\n".join([*lines, words(body.get("text"))]).strip()))


# Done to a message that is there already; and what another business's number sends to ours.
NOT_WRITTEN = (
    *("edit", "revoke", "delete", "pin", "unpin", "keep", "keep_in_chat", "reaction"),
    *("poll_update", "link_preview", "errors", "hsm"),
)
# "This message is currently unavailable": a contact's first, to a number of the Business app.
WRITTEN_AND_HIDDEN = "131060"
MEDIA_KINDS = ("image", "video", "audio", "document", "sticker")

READERS = {
    "text": _read_text,
    "location": _read_location,
    "contacts": _read_contacts,
    "interactive": _read_interactive,
    "button": _read_button,
    "order": _read_order,
    "unsupported": _read_unsupported,
} | dict.fromkeys(MEDIA_KINDS, _read_media)
