"""What contacts write and how the vendor delivers it: again until it is acknowledged."""

import asyncio
import json
import time

from bench.chaos.dice import Dice
from bench.chaos.hub import Hub
from bench.chaos.jobs import Job
from bench.chaos.journal import Journal, Message
from bench.chaos.recovery import Recovery
from local.whatsapp_webhook import signature

MESSAGES_PER_CONTACT = 4
MOST_CONTACTS = 1000
BURST_CHANCE = 0.15
LONGEST_BURST = 5
DELIVERIES = {"2": 0.2, "3": 0.1}
SWAP_CHANCE = 0.1
SWAP_SECONDS = (0.1, 1.0)
AGAIN_SECONDS = (0.4, 2.0)
MOST_SECONDS_BEHIND = 0.25
MOST_POSTING = 12
FIRST_NUMBER = 351_900_000_000


class Traffic:
    """`channels`: of (address, phone number id), one for each organization."""

    def __init__(
        self,
        journal: Journal,
        recovery: Recovery,
        dice: Dice,
        hub: Hub,
        channels: list[tuple[str, str]],
        app_secret: str,
        has_faults: bool,
    ):
        self._journal = journal
        self._recovery = recovery
        self._dice = dice
        self._hub = hub
        self._channels = channels
        self._app_secret = app_secret
        self._has_faults = has_faults
        self._tasks: set[asyncio.Task] = set()
        self._posting: set[str] = set()
        self._counted_replies = self._answered = 0

    async def write(self, count: int, most_unanswered: int) -> None:
        """All messages, as fast as the workers keep up: a run measures recovery and not overload.
        Bursts belong to one contact."""
        for message in self._plan(count):
            await self.when_not_behind(most_unanswered)
            self._post(message)

    def post_from(self, contact_number: int) -> Message:
        """One message of a contact of one's choice, now."""
        number = len(self._journal.messages) + 1
        message = message_of(contact_at(contact_number), number)
        self._post(message)
        return message

    def _post(self, message: Message) -> None:
        self._journal.messages[message.token] = message
        self._posting.add(message.token)
        self._spawn(self._deliver(message))

    async def when_not_behind(self, most_unanswered: int) -> None:
        while self.unanswered >= most_unanswered or self._is_behind:
            await asyncio.sleep(0.01)

    @property
    def _is_behind(self) -> bool:
        is_posting = len(self._posting) >= MOST_POSTING
        return is_posting or self._hub.seconds_behind > MOST_SECONDS_BEHIND

    @property
    def unanswered(self) -> int:
        """Asked a hundred times a second: only the replies since the last time are counted."""
        accepted = self._journal.accepted
        for reply in accepted[self._counted_replies :]:
            self._answered += len(reply.tokens)
        self._counted_replies = len(accepted)
        return len(self._journal.messages) - self._answered

    async def all_acknowledged(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _plan(self, count: int):
        contacts = min(MOST_CONTACTS, max(1, count // MESSAGES_PER_CONTACT))
        number = burst = 0
        contact = ""
        while number < count:
            if not burst:
                contact = contact_at(int(self._dice.roll("contact", number) * contacts))
                is_burst = self._dice.roll("burst", number) < BURST_CHANCE
                burst = 1 + int(self._dice.roll("length", number) * LONGEST_BURST) * is_burst
            burst -= 1
            number += 1
            yield message_of(contact, number)

    async def _deliver(self, message: Message) -> None:
        copies = 1
        if self._has_faults:
            copies = int(self._dice.pick(DELIVERIES, "copies", message.number) or 1)
            if self._dice.roll("swap", message.number) < SWAP_CHANCE:
                await asyncio.sleep(self._dice.between(*SWAP_SECONDS, "swapped", message.number))
        url, phone_number_id = self.channel_of(message.contact)
        body = inbound(message, phone_number_id)
        for copy in range(copies):
            self._spawn(self._copy(message, url, body, copy))

    async def _copy(self, message: Message, url: str, body: str, copy: int) -> None:
        if copy:
            await asyncio.sleep(self._dice.between(0, 1, "copy", message.number, copy))
        message.posted_at = message.posted_at or time.monotonic()
        message.deliveries += 1
        await self.post_until_acknowledged(url, body, f"{message.token}/{copy}")
        self._posting.discard(message.token)
        if message.acknowledged_at is None:
            message.acknowledged_at = time.monotonic()
            self._recovery.message_acknowledged(message.contact, message.token)

    async def post_until_acknowledged(self, url: str, body: str, key: str) -> None:
        wait_seconds, longest = AGAIN_SECONDS
        headers = {"content-type": "application/json"}
        headers |= signature(body.encode(), self._app_secret)
        for attempt in range(1000):
            answered = asyncio.get_running_loop().create_future()
            job = Job("webhook", url, f"{key}/{attempt}", body=body, headers=headers)
            job.answered = answered
            self._hub.put(job)
            status = await answered
            self._journal.counts[f"webhook: {status or 'no answer'}"] += 1
            if status == 200:
                return
            await asyncio.sleep(min(longest, wait_seconds * 2**attempt))

    def channel_of(self, contact: str) -> tuple[str, str]:
        return self._channels[int(contact) % len(self._channels)]

    def _spawn(self, coroutine) -> None:
        self._tasks.add(task := asyncio.get_running_loop().create_task(coroutine))
        task.add_done_callback(self._tasks.discard)


def contact_at(number: int) -> str:
    return str(FIRST_NUMBER + number)


def message_of(contact: str, number: int) -> Message:
    text = f"How long does a refund take? [m{number}]"
    return Message(f"m{number}", contact, number, text)


def inbound(message: Message, phone_number_id: str) -> str:
    item = {
        "from": message.contact,
        "id": f"wamid.{message.token}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": message.text},
    }
    contacts = [{"profile": {"name": "Ada"}, "wa_id": message.contact}]
    return webhook(phone_number_id, {"contacts": contacts, "messages": [item]})


def webhook(phone_number_id: str, value: dict) -> str:
    metadata = {"display_phone_number": "351210000000", "phone_number_id": phone_number_id}
    value = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    entry = {"id": "100000000000000", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]})
