"""The outbox: the only code that moves a message on its way to the vendor."""

from dataclasses import dataclass, replace

import f.channels.accounts as accounts
from f.channels.accounts import Account
from f.channels.registry import ChannelLibrary
from f.channels.rules import Rate
from f.shared.errors import (
    ChatmillError,
    ContactGone,
    DeliveryUnknown,
    Misconfigured,
    UpstreamBusy,
    UpstreamDown,
    WindowClosed,
)


@dataclass(frozen=True)
class Claimed:
    outcome: str  # send | wait | unknown | done; held | too_fast where the vendor's rules say so
    id: str | None
    body: str | None
    wait_seconds: float | None  # until a receipt had time to come, or the rate allows it
    attempt: int | None = None
    start_within_seconds: float | None = None


@dataclass(frozen=True)
class Reply:
    """A piece of an answer, marked `sending`."""

    claimed: Claimed
    has_template: bool

    @property
    def start_within_seconds(self) -> float:
        """Later the time in which others wait for its receipt would be over."""
        return self.claimed.start_within_seconds

    def send(self, library: ChannelLibrary, account: Account) -> str:
        body, reference = self.claimed.body, self.claimed.id
        return library.send_text(account.credentials, account.recipient, body, reference)

    def ready(self, conn) -> None:
        mark_ready(conn, self.claimed.id, self.claimed.attempt)

    def sent(self, conn, provider_message_id: str) -> None:
        mark_sent(conn, self.claimed.id, provider_message_id)

    def ended(self, conn, error: ChatmillError) -> bool:
        """Whether that is its end; else the step fails and another try decides."""
        match error:
            case UpstreamBusy() | UpstreamDown() | Misconfigured():
                self.ready(conn)
                return False
            case DeliveryUnknown():
                return False  # stays `sending`: a receipt or the grace decides
            case WindowClosed():
                hold(conn, self.claimed.id, self.has_template)
            case ContactGone():
                self._failed(conn, "contact_gone")
                note_contact_gone(conn, self.claimed.id)
            case _:
                self._failed(conn, error.code or str(error.status))
        return True

    def _failed(self, conn, error_code: str) -> None:
        mark_failed(conn, self.claimed.id, self.claimed.attempt, error_code)


@dataclass(frozen=True)
class Template:
    """The message that asks a contact to write again, marked `sending`: once a turn, however many
    messages it has. However it ends, the held ones wait for a person. `reference`: the first's
    id."""

    reference: str
    settings: dict
    # The lease: later another worker may have the turn, and nobody want it any more.
    start_within_seconds = 5

    def send(self, library: ChannelLibrary, account: Account) -> str:
        whom = (account.credentials, account.recipient)
        return library.send_template(*whom, self.settings, self.reference)

    def ready(self, conn) -> None:
        settle_template(conn, self.reference, "ready", None, None)

    def sent(self, conn, provider_message_id: str) -> None:
        settle_template(conn, self.reference, "sent", provider_message_id, None)

    def ended(self, conn, error: ChatmillError) -> bool:
        """As Reply has it; but nothing of a template fails the step for good."""
        match error:
            case UpstreamBusy() | UpstreamDown():
                self.ready(conn)
                return False
            case DeliveryUnknown():
                settle_template(conn, self.reference, "unknown", None, None)
            case ContactGone():
                settle_template(conn, self.reference, "failed", None, "contact_gone")
                note_contact_gone(conn, self.reference)
            case _:
                told = error.code or getattr(error, "status", None)
                settle_template(conn, self.reference, "failed", None, str(told or "misconfigured"))
        return True


def claim(conn, turn_id: str, fence: int) -> Claimed:
    """The turn's next message, marked `sending`. Raises StaleTurn."""
    with conn.cursor() as cursor:
        cursor.execute(
            "select outcome, id, body, wait_seconds::float8, attempt, start_within_seconds::float8"
            " from claim_outbound_message(%s, %s)",
            (turn_id, fence),
        )
        return Claimed(*cursor.fetchone())


def hold(conn, message_id: str, has_template: bool) -> None:
    """Outside the vendor's window: kept for a person, who is told. A template of the channel's asks
    the contact to write again."""
    with conn.cursor() as cursor:
        cursor.execute("select enter_outbound_message(%s)", (message_id,))
        cursor.execute("select hold_outbound_message(%s)", (message_id,))
        if has_template:
            cursor.execute("select ask_for_template(%s)", (message_id,))


def claim_template(conn, turn_id: str, fence: int) -> str | None:
    """Our reference for the template that the turn still has to send, marked `sending`. Raises
    StaleTurn."""
    with conn.cursor() as cursor:
        cursor.execute("select claim_template(%s, %s)", (turn_id, fence))
        return cursor.fetchone()[0]


def settle_template(
    conn, reference: str, state: str, provider_message_id: str | None, error_code: str | None
) -> None:
    """`state`: ready (surely not accepted), sent, failed or unknown."""
    with conn.cursor() as cursor:
        cursor.execute("select enter_outbound_message(%s)", (reference,))
        cursor.execute(
            "select settle_template(%s, %s, %s, %s)",
            (reference, state, provider_message_id, error_code),
        )


def window_is_open(conn, conversation_id: str, hours: int) -> bool:
    with conn.cursor() as cursor:
        cursor.execute("select window_is_open(%s, %s)", (conversation_id, hours))
        return cursor.fetchone()[0]


def take_tokens(conn, channel_id: str, rates: dict[str, Rate]) -> float:
    """`rates`, by whose they are. Seconds to wait, and nothing is taken; 0 when one of each was."""
    per_second = [rate.per_second for rate in rates.values()]
    bursts = [rate.burst for rate in rates.values()]
    with conn.cursor() as cursor:
        cursor.execute(
            "select take_tokens(%s, %s, %s::numeric[], %s::numeric[])::float8",
            (channel_id, list(rates), per_second, bursts),
        )
        return cursor.fetchone()[0]


def note_contact_gone(conn, message_id: str) -> None:
    """The contact blocked us or left: they are not written to any more. In a group it is the group
    that is gone: whoever asked there may still write to us alone."""
    with conn.cursor() as cursor:
        cursor.execute("select note_contact_gone(%s)", (message_id,))


def account_of_turn(conn, sealing_key: str, turn_id: str) -> Account:
    """The channel's account, writing to whom the turn answers."""
    with conn.cursor() as cursor:
        cursor.execute("select conversation_id from turns where id = %s", (turn_id,))
        (conversation_id,) = cursor.fetchone()
    account = accounts.of_conversation(conn, sealing_key, conversation_id)
    recipient = replace(account.recipient, reply_to=newest_question(conn, turn_id))
    return replace(account, recipient=recipient)


def newest_question(conn, turn_id: str) -> str | None:
    """The vendor's id of the last message that the turn answers."""
    with conn.cursor() as cursor:
        cursor.execute(
            "select provider_message_id from inbound_messages where turn_id = %s"
            " order by sent_at desc, id desc limit 1",
            (turn_id,),
        )
        row = cursor.fetchone()
    return row and row[0]


def mark_sent(conn, message_id: str, provider_message_id: str) -> None:
    # A receipt may have come first and moved the row further.
    _move(
        conn,
        "update outbound_messages set provider_message_id = %(provider_message_id)s,"
        " sent_at = coalesce(sent_at, now()),"
        " state = case when state in ('sending', 'unknown') then 'sent' else state end"
        " where id = %(id)s",
        message_id,
        provider_message_id=provider_message_id,
    )


def mark_ready(conn, message_id: str, attempt: int) -> None:
    """This attempt was surely not accepted: the next may send it, unless another is under way."""
    _move(
        conn,
        "update outbound_messages set state = 'ready', error_code = null, attempts = attempts - 1"
        " where id = %(id)s and state = 'sending' and attempts = %(attempt)s",
        message_id,
        attempt=attempt,
    )


def mark_failed(conn, message_id: str, attempt: int, error_code: str) -> None:
    """This attempt was refused for good: of another that is under way only its own answer tells."""
    _move(
        conn,
        "update outbound_messages set state = 'failed', error_code = %(error_code)s"
        " where id = %(id)s and state = 'sending' and attempts = %(attempt)s",
        message_id,
        attempt=attempt,
        error_code=error_code,
    )


def _move(conn, query: str, message_id: str, **values: str | int) -> None:
    with conn.cursor() as cursor:
        # By its id alone: what became of a send is noted also by who lost the turn meanwhile.
        cursor.execute("select enter_outbound_message(%s)", (message_id,))
        cursor.execute(query, {"id": message_id, **values})
