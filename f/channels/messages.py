"""What the core sees of a vendor's delivery, whatever the vendor's JSON looks like."""

from dataclasses import dataclass, field
from datetime import datetime

from f.shared.errors import InputRefused


@dataclass(frozen=True)
class InboundMessage:
    """A contact wrote to us.

    `contact_key` is the vendor's most lasting id of the contact (BSUID before wa_id);
    `contact_phone` is the number when the vendor shows it, so that a contact first known by
    number is recognised when a username hides it later.
    `text` is what the contact said in words: the body, a caption, the title of a button.
    """

    provider_message_id: str
    contact_key: str
    kind: str  # text, media, location, contacts, button, form or order
    text: str
    contact_name: str | None = None
    contact_phone: str | None = None
    sent_at: datetime | None = None
    reply_to: str | None = None
    group_id: str | None = None
    media: dict | None = None


@dataclass(frozen=True)
class Receipt:
    """A vendor told what became of a message of ours; `status` is the vendor's own word."""

    provider_message_id: str
    status: str
    occurred_at: datetime | None = None
    client_reference: str | None = None
    error_code: str | None = None
    error_title: str | None = None


@dataclass(frozen=True)
class Echo:
    """A teammate wrote to the contact from the business's own app, past us."""

    provider_message_id: str
    contact_key: str
    kind: str
    text: str
    contact_phone: str | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True)
class Ignored:
    """Something in the delivery that nobody will answer.

    `reason` is a short code to count by; what follows a colon in it is the vendor's own word.
    """

    reason: str
    provider_message_id: str | None = None


Item = InboundMessage | Receipt | Echo | Ignored


@dataclass(frozen=True)
class Delivery:
    """What one webhook brought for one account, as the vendor names it in the signed body.

    `account_id` is None where the body names none: our web chat, notices about a whole account.
    """

    account_id: str | None
    items: list[Item] = field(default_factory=list)


class WebhookRefused(InputRefused):
    """The request is not the vendor's, or not in the vendor's form; `status` answers it."""

    def __init__(self, status: int, code: str, sentence: str):
        super().__init__(code, sentence)
        self.status = status
