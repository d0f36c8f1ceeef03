"""The statuses that the vendor sends of what it accepted: doubled, late and out of order."""

import asyncio
import time

from bench.chaos.dice import Dice
from bench.chaos.journal import Accepted
from bench.chaos.traffic import Traffic, webhook

STATUSES = ("sent", "delivered", "read")
USUAL_SECONDS = (0.05, 0.3)
DOUBLED_CHANCE = 0.1
LATE_CHANCE = 0.05
SWAPPED_CHANCE = 0.1
DELIVERED_CHANCE = 0.5
READ_CHANCE = 0.1


class Receipts:
    """`latest_seconds`: how late a status may be; the grace must be longer."""

    def __init__(self, traffic: Traffic, dice: Dice, has_faults: bool, latest_seconds: float):
        self._traffic = traffic
        self._dice = dice
        self._has_faults = has_faults
        self._latest_seconds = latest_seconds
        self._tasks: set[asyncio.Task] = set()

    def accepted(self, reply: Accepted, message_id: str, phone_number_id: str) -> None:
        loop = asyncio.get_running_loop()
        for status, seconds in self._plan(reply):
            task = loop.create_task(self._send(reply, message_id, status, seconds))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @property
    def waiting(self) -> int:
        return len(self._tasks)

    def _plan(self, reply: Accepted) -> list[tuple[str, float]]:
        key = ("receipt", reply.contact, *reply.tokens)
        chance = self._dice.roll(*key, "read")
        wanted = 1 + (chance < DELIVERED_CHANCE) + (chance < READ_CHANCE)
        first = self._dice.between(*USUAL_SECONDS, *key)
        if self._has_faults and self._dice.roll(*key, "late") < LATE_CHANCE:
            first = self._dice.between(0.5, 1, *key, "seconds") * self._latest_seconds
        times = [first + 0.15 * number for number in range(wanted)]
        if self._has_faults and self._dice.roll(*key, "swapped") < SWAPPED_CHANCE:
            times.reverse()
        planned = list(zip(STATUSES, times, strict=False))
        if self._has_faults and self._dice.roll(*key, "doubled") < DOUBLED_CHANCE:
            planned.append((STATUSES[0], times[0] + 0.5))
        return planned

    async def _send(self, reply: Accepted, message_id: str, status: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        item = {
            "id": message_id,
            "status": status,
            "timestamp": str(int(time.time())),
            "recipient_id": reply.contact,
            "biz_opaque_callback_data": reply.reference,
        }
        url, phone_number_id = self._traffic.channel_of(reply.contact)
        body = webhook(phone_number_id, {"statuses": [item]})
        key = f"{'-'.join(reply.tokens)}/{status}"
        await self._traffic.post_until_acknowledged(url, body, key)
