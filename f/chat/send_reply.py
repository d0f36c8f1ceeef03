"""Deliver the turn's replies on the contact's channel."""

import time
from dataclasses import replace
from functools import partial

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
        self._template = account.settings.get("template")
        self._has_template = isinstance(self._template, dict) and hasattr(
            self._library, "send_template"
        )

    def send_all(self) -> tuple[int, float | None]:
        """How many were sent; and the seconds until it is known what became of one that an
        earlier worker was cut off from, or until the vendor's rate allows the next."""
        sent = 0
        while True:
            started = time.monotonic()
            with connect(self._db) as conn:
                claimed = self._claim(conn)
            if claimed.outcome in ("done", "wait"):
                if self._has_template:
                    self._send_template()
                return sent, claimed.wait_seconds
            if claimed.outcome == "too_fast":
                if claimed.wait_seconds > PATIENCE_SECONDS:
                    return sent, claimed.wait_seconds
                time.sleep(claimed.wait_seconds)
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
            outbox.hold(conn, claimed.id, self._has_template)
            return replace(claimed, outcome="held")
        wait_seconds = self._take_tokens(conn)
        if wait_seconds > 0:
            outbox.mark_ready(conn, claimed.id, claimed.attempt)
            return replace(claimed, outcome="too_fast", wait_seconds=wait_seconds)
        return claimed

    def _take_tokens(self, conn) -> float:
        rules, recipient = self._library.RULES, self._account.recipient
        own = rules.group if recipient.is_group else rules.pair
        wanted = {recipient.address: own, "account": rules.account}
        rates = {subject: rate for subject, rate in wanted.items() if rate}
        return outbox.take_tokens(conn, self._account.channel_id, rates) if rates else 0

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
            self._note(outbox.hold, message.id, self._has_template)
            return False
        except ContactGone:
            self._note(outbox.mark_gone, message.id)
            return False
        except UpstreamError as error:
            self._note(outbox.mark_failed, message.id, error.code or str(error.status))
            return False
        self._note(outbox.mark_sent, message.id, provider_message_id)
        return True

    def _send_template(self) -> None:
        """Outside the window an approved template may ask the contact to write again: once a
        turn, however many messages it has. However it ends, the held messages wait for a person."""
        with connect(self._db) as conn:
            reference = outbox.claim_template(conn, self._turn_id, self._fence)
        if reference is None:
            return
        account, ended = self._account, partial(self._note, outbox.settle_template, reference)
        try:
            provider_message_id = self._library.send_template(
                account.credentials, account.recipient, self._template, reference
            )
        except (UpstreamBusy, UpstreamDown):
            ended("ready", None, None)
            raise
        except DeliveryUnknown:
            ended("unknown", None, None)
        except ContactGone:
            ended("failed", None, "contact_gone")
        except (Misconfigured, UpstreamError) as error:
            told = error.code or getattr(error, "status", None)
            ended("failed", None, str(told or "misconfigured"))
        else:
            ended("sent", provider_message_id, None)

    def _note(self, mark, *arguments) -> None:
        with connect(self._db) as conn:
            mark(conn, *arguments)
