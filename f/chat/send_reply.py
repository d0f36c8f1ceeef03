"""Deliver the turn's replies on the contact's channel."""

import time
from dataclasses import replace
from functools import partial

import f.channels.registry as registry
import f.chat.lease as lease
import f.chat.outbox as outbox
import f.chat.turns as turns
from f.channels.accounts import Account
from f.chat.outbox import Reply, Template
from f.shared.db import again_while_away, connect
from f.shared.errors import Misconfigured, UpstreamError
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
        # Not to a group: one member asked, and each would be written to; Conversations take none.
        self._has_template = (
            isinstance(self._template, dict)
            and hasattr(self._library, "send_template")
            and not account.recipient.is_group
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
                template_wait_seconds = self._send_template()
                return sent, claimed.wait_seconds or template_wait_seconds
            if claimed.outcome == "too_fast" and not _slept(claimed.wait_seconds):
                return sent, claimed.wait_seconds
            if claimed.outcome == "send":
                sent += self._deliver(Reply(claimed, self._has_template), started)

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
        wait_seconds = self._take_tokens(conn, Reply(claimed, self._has_template))
        if wait_seconds > 0:
            return replace(claimed, outcome="too_fast", wait_seconds=wait_seconds)
        return claimed

    def _send_template(self) -> float | None:
        """Outside the window an approved template may ask the contact to write again. Seconds until
        the vendor's rate allows it."""
        while self._has_template:
            started = time.monotonic()
            with connect(self._db) as conn:
                reference = outbox.claim_template(conn, self._turn_id, self._fence)
                if reference is None:
                    break
                template = Template(reference, self._template)
                wait_seconds = self._take_tokens(conn, template)
            if wait_seconds == 0:
                self._deliver(template, started)
            elif not _slept(wait_seconds):
                return wait_seconds
        return None

    def _take_tokens(self, conn, message: Reply | Template) -> float:
        """One of each rate of the vendor's; else seconds to wait, and it is no longer marked."""
        rules, recipient = self._library.RULES, self._account.recipient
        own = rules.group if recipient.is_group else rules.pair
        # Behind a slash is a topic: the rate is of the whole group.
        wanted = {recipient.address.partition("/")[0]: own, "account": rules.account}
        rates = {subject: rate for subject, rate in wanted.items() if rate}
        if not rates:
            return 0
        wait_seconds = outbox.take_tokens(conn, self._account.channel_id, rates)
        if wait_seconds > 0:
            message.ready(conn)
        return wait_seconds

    def _deliver(self, message: Reply | Template, started: float) -> bool:
        """The mark `sending` is committed before the call, so that a crash in between is seen as
        what it is: nobody knows. `started`: before the mark. Whoever slept since then must not make
        the call any more."""
        if time.monotonic() - started > message.start_within_seconds:
            self._note(message.ready)
            return False
        try:
            provider_message_id = message.send(self._library, self._account)
        except (Misconfigured, UpstreamError) as error:
            if self._note(message.ended, error):
                return False
            raise
        # Where no receipt tells of it, nobody else ever knows.
        again_while_away(partial(self._note, message.sent, provider_message_id))
        return True

    def _note(self, mark, *arguments):
        with connect(self._db) as conn:
            return mark(conn, *arguments)


def _slept(wait_seconds: float) -> bool:
    """A longer wait than our patience is for another flow."""
    if wait_seconds > PATIENCE_SECONDS:
        return False
    time.sleep(wait_seconds)
    return True
