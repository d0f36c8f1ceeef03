"""Deliver the turn's replies on the contact's channel."""

import time
from dataclasses import replace

import f.channels.registry as registry
import f.chat.lease as lease
import f.chat.outbox as outbox
import f.chat.turns as turns
from f.channels.accounts import Account
from f.shared.db import connect
from f.shared.errors import (
    ContactGone,
    DeliveryUnknown,
    Misconfigured,
    UpstreamBusy,
    UpstreamDown,
    UpstreamError,
    WindowClosed,
)
from f.shared.resources import postgresql

# A rate's wait up to this is slept here; a longer one frees the worker.
PATIENCE_SECONDS = 2


def main(db: postgresql, sealing_key: str, conversation_id: str, turn_id: str, fence: int) -> dict:
    with turns.transaction(db, turn_id, fence) as conn:
        turns.begin_attempt(conn, turn_id, fence)
        account = outbox.account_of_turn(conn, sealing_key, turn_id)
    with lease.kept(db, turn_id, fence):
        sent, wait_seconds = Sending(db, account, conversation_id, turn_id, fence).send_all()
    with turns.transaction(db, turn_id, fence) as conn:
        if wait_seconds is None:
            next_seconds = turns.complete(conn, turn_id, fence, "sent")
        else:
            next_seconds = turns.postpone(conn, turn_id, fence, wait_seconds)
    turns.start_when_due(conversation_id, next_seconds)
    return {"sent": sent, "waits_for_receipt": wait_seconds is not None}


class Sending:
    """The turn's messages, one after the other, by the rules of the vendor."""

    def __init__(
        self,
        db: postgresql,
        account: Account,
        conversation_id: str,
        turn_id: str,
        fence: int,
    ):
        self._db, self._account, self._library = db, account, registry.library(account.kind)
        self._conversation_id, self._turn_id, self._fence = conversation_id, turn_id, fence
        self._template_is_due = True

    def send_all(self) -> tuple[int, float | None]:
        """How many were sent; and the seconds until it is known what became of one that an
        earlier worker was cut off from, or until the vendor's rate allows the next."""
        sent = 0
        while True:
            started = time.monotonic()
            with connect(self._db) as conn:
                claimed = self._claim(conn)
            if claimed.outcome in ("done", "wait"):
                return sent, claimed.wait_seconds
            if claimed.outcome == "too_fast":
                if claimed.wait_seconds > PATIENCE_SECONDS:
                    return sent, claimed.wait_seconds
                time.sleep(claimed.wait_seconds)
            if claimed.outcome == "held":
                self._send_template(claimed)
            if claimed.outcome == "send":
                # Whoever slept between the mark `sending` and the call must not make it any more:
                # the time in which others wait for its receipt would be over.
                if time.monotonic() - started > claimed.start_within_seconds:
                    self._note(outbox.mark_ready, claimed.id, claimed.attempt)
                else:
                    sent += self._deliver(claimed)

    def _claim(self, conn) -> outbox.Claimed:
        """In one transaction with the look at the window and the rates: whoever may not send now
        leaves no mark that they tried."""
        claimed = outbox.claim(conn, self._turn_id, self._fence)
        rules = self._library.RULES
        if claimed.outcome != "send":
            return claimed
        if rules.window_hours and not outbox.window_is_open(
            conn, self._conversation_id, rules.window_hours
        ):
            outbox.hold(conn, claimed.id)
            return replace(claimed, outcome="held")
        wait_seconds = self._take_tokens(conn)
        if wait_seconds > 0:
            outbox.mark_ready(conn, claimed.id, claimed.attempt)
            return replace(claimed, outcome="too_fast", wait_seconds=wait_seconds)
        return claimed

    def _take_tokens(self, conn) -> float:
        rules, recipient = self._library.RULES, self._account.recipient
        own = rules.group if recipient.is_group else rules.pair
        for subject, rate in ((recipient.address, own), ("account", rules.account)):
            if rate is None:
                continue
            wait_seconds = outbox.take_token(conn, self._account.channel_id, subject, rate)
            if wait_seconds > 0:
                return wait_seconds
        return 0

    def _deliver(self, message: outbox.Claimed) -> bool:
        """The mark `sending` is committed before the call, so that a crash in between is seen as
        what it is: nobody knows."""
        account = self._account
        try:
            provider_message_id = self._library.send_text(
                account.credentials, account.recipient, message.body, message.id
            )
        except (UpstreamBusy, UpstreamDown, Misconfigured):
            self._note(outbox.mark_ready, message.id, message.attempt)
            raise
        except DeliveryUnknown:
            raise  # stays `sending`: a receipt or the grace decides
        except WindowClosed:
            self._note(outbox.hold, message.id)
            return False
        except ContactGone:
            self._note(outbox.mark_gone, message.id)
            return False
        except UpstreamError as error:
            self._note(outbox.mark_failed, message.id, error.code or str(error.status))
            return False
        self._note(outbox.mark_sent, message.id, provider_message_id)
        return True

    def _send_template(self, message: outbox.Claimed) -> None:
        """Outside the window an approved template may ask the contact to write again: once a
        turn, however many messages it has. What becomes of it changes nothing for them."""
        template = self._account.settings.get("template")
        send = getattr(self._library, "send_template", None)
        if not (template and send and self._template_is_due):
            return
        self._template_is_due = False
        send(self._account.credentials, self._account.recipient, template, message.id)

    def _note(self, mark, *arguments) -> None:
        with connect(self._db) as conn:
            mark(conn, *arguments)
