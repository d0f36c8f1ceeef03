"""What the core sees of a vendor's delivery, whatever the vendor's JSON looks like."""

from dataclasses import dataclass, field
from datetime import datetime

from f.shared.errors import InputRefused


@dataclass(frozen=True)
class Request:
    """A webhook as it came. Names of headers are in lower case; what is in `query` was resolved
    by Windmill, so only a signature over it makes it worth reading."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    query: dict = field(default_factory=dict)


@dataclass(frozen=True)
class InboundMessage:
    """A contact wrote to us.

    `contact_key` is the vendor's most lasting id of the contact (BSUID before wa_id);
    `contact_phone` is the number when the vendor shows it, so that a contact first known by
    number is recognised when a username hides it later.
    `text` is what the contact said in words: the body, a caption, the title of a button.
    `group_id`: where everybody of a group reads; replies go there. `mentioned`: the names and ids
    that the vendor marked as such; `is_addressed`: there is no doubt that it is meant for us.
    `referral`: the advertisement or link that the contact came by, in somebody else's words.
    `album_id`: pictures sent together come one by one and share it. `heading`: the words that they
    were sent with, where those are of another of them.
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
    mentioned: tuple[str, ...] = ()
    is_addressed: bool = False
    media: dict | None = None
    referral: str | None = None
    album_id: str | None = None
    heading: str = ""
    language: str | None = None


@dataclass(frozen=True)
class Edit:
    """A contact changed the words of a message they had sent."""

    provider_message_id: str
    text: str


@dataclass(frozen=True)
class Revocation:
    """A contact took a message back: our copy of its words goes too."""

    provider_message_id: str


@dataclass(frozen=True)
class Reaction:
    """A contact put an emoji on a message of ours; None took it away."""

    provider_message_id: str
    emoji: str | None


@dataclass(frozen=True)
class Receipt:
    """A vendor told what became of a message of ours; `status` is the vendor's own word, `failure`
    what its code means where that is more than a failed message: gone or window_closed.
    `participant`: the one of a group whom it is about, where the vendor tells of each apart."""

    provider_message_id: str
    status: str
    occurred_at: datetime | None = None
    client_reference: str | None = None
    error_code: str | None = None
    failure: str | None = None
    participant: str | None = None


@dataclass(frozen=True)
class Watermark:
    """Everything that we sent to the contact until then was `delivered` or `read`."""

    contact_key: str
    status: str
    up_to: datetime


@dataclass(frozen=True)
class Echo:
    """Something was written to the contact in the business's name: by a teammate from the
    business's own app, or by us, when `app_id` or `client_reference` are ours."""

    provider_message_id: str
    contact_key: str
    kind: str
    text: str
    contact_phone: str | None = None
    sent_at: datetime | None = None
    app_id: str | None = None
    client_reference: str | None = None


@dataclass(frozen=True)
class Handover:
    """Another app, or the vendor's own agent, took the conversation or gave it (back) to us."""

    contact_key: str
    is_ours: bool
    new_owner: str | None = None


@dataclass(frozen=True)
class NewIdentity:
    """A contact is known by another id or number from now on."""

    old_key: str
    new_key: str
    new_phone: str | None = None


@dataclass(frozen=True)
class GroupMove:
    """A group has another id from now on."""

    old_id: str
    new_id: str


@dataclass(frozen=True)
class OptOut:
    """A contact does not want to hear from us any more (blocked us, said stop), or does again."""

    contact_key: str
    is_out: bool


@dataclass(frozen=True)
class Notice:
    """A vendor told something about the account that a person should know; `code` and `subject`
    are the vendor's own words and hold no contact's."""

    code: str
    subject: str = ""


@dataclass(frozen=True)
class Ignored:
    """Something in the delivery that nobody will answer.

    `reason` is a short code to count by; what follows a colon in it is the vendor's own word.
    """

    reason: str
    provider_message_id: str | None = None


Item = (
    InboundMessage
    | Edit
    | Revocation
    | Reaction
    | Receipt
    | Watermark
    | Echo
    | Handover
    | NewIdentity
    | GroupMove
    | OptOut
    | Notice
    | Ignored
)


@dataclass(frozen=True)
class Delivery:
    """What one webhook brought for one account, as the vendor names it in the signed body.

    `account_id` is None where the body names none: our web chat, notices about a whole account.
    """

    account_id: str | None
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True)
class Recipient:
    """Whom a reply goes to: a contact, or everybody of a group. `reply_to`: the message that it
    answers, where many write at once."""

    address: str
    is_group: bool = False
    reply_to: str | None = None


class WebhookRefused(InputRefused):
    """The request is not the vendor's, or not in the vendor's form; `status` answers it."""

    def __init__(self, status: int, code: str, sentence: str):
        super().__init__(code, sentence)
        self.status = status
