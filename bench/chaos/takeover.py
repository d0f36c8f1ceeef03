"""A teammate takes over at every point of a turn; the chatbot must not say a word after it."""

import asyncio
import time
from dataclasses import replace

from bench.chaos import stage
from bench.chaos.conductor import Conductor
from bench.chaos.database import changed
from bench.chaos.jobs import Job
from bench.chaos.options import Options
from bench.chaos.report import run_shown
from bench.chaos.traffic import contact_at

TIMES_A_POINT = 3
WARMING_UP = 12
ELSEWHERE = ("receive_webhook", "sweep_conversations", "report_failure")
# At some boundaries the turn holds the row that the takeover needs: then the takeover waits for it.
LONGEST_WAIT_SECONDS = 0.3

ANY_NUMBER = 10**9

TAKE_OVER = """
update conversations set mode = 'human' where id = %s returning clock_timestamp()
"""
REPLIES = """
select id::text, sending_at > %s from outbound_messages
 where conversation_id = %s and attempts > 0
"""


def takeover(options: Options) -> dict:
    with stage.set_up() as ready:
        return asyncio.run(taken_over(ready, replace(options, faults=frozenset(), messages=0)))


async def taken_over(ready: stage.Stage, options: Options) -> dict:
    takeovers = Takeovers()
    run = Conductor(ready, options, story=takeovers.tell)
    await run_shown(run)
    begun, under_way = await takeovers.replies_after()
    report = {
        "takeovers": len(takeovers.happened),
        "points_of_a_turn": len({boundary for boundary, _, _ in takeovers.happened.values()}),
        "bot_messages_begun_after_it": len(begun),
        "bot_messages_already_on_their_way": under_way,
        "seconds": round(run.ended_at - run.started_at, 1),
        "broken": [],
    }
    report["promises"] = [
        "From the moment when a teammate takes over, the chatbot begins no message:"
        f" {len(begun)} in {report['takeovers']} takeovers at {report['points_of_a_turn']} points"
        f" of a turn, and in what these contacts wrote next. {under_way} were on their way to the"
        " vendor already."
    ]
    if begun:
        report["broken"].append(
            f"the chatbot spoke after a takeover at {', '.join(sorted(set(begun))[:5])}"
        )
    if not run.is_settled or not takeovers.happened:
        report["broken"].append("work was left when nobody had anything to wait for")
    return report


class Takeovers:
    """`happened`: by conversation, (boundary, when in the database, when on our clock)."""

    def __init__(self):
        self.happened: dict[str, tuple] = {}
        self._tasks: list[asyncio.Task] = []

    async def tell(self, run: Conductor) -> None:
        self._run = run
        run.hub.on_pause = self._on_pause
        await meet(run, range(WARMING_UP))
        points = [
            name
            for name in sorted(run.journal.passed)
            if not name.startswith((*ELSEWHERE, "flow:failure"))
        ]
        chosen = dict(enumerate(points * TIMES_A_POINT, start=WARMING_UP))
        await meet(run, chosen)
        run.pauses.update({contact_at(number): name for number, name in chosen.items()})
        await meet(run, chosen)
        await asyncio.wait(self._tasks)
        await meet(run, chosen)  # they write again, to a teammate

    async def _on_pause(self, job: Job, boundary: str) -> None:
        task = asyncio.create_task(asyncio.to_thread(self._take_over, job, boundary))
        self._tasks.append(task)
        await asyncio.wait([task], timeout=LONGEST_WAIT_SECONDS)

    def _take_over(self, job: Job, boundary: str) -> None:
        with changed(self._run.database.resource) as cursor:
            cursor.execute(TAKE_OVER, [job.conversation_id])
            at = cursor.fetchone()[0]
        self.happened[job.conversation_id] = (boundary, at, time.monotonic())

    async def replies_after(self) -> tuple[list[str], int]:
        """Points after whose takeover a reply was begun; and how many were under way."""
        begun, under_way = [], 0
        replies = {one.reference: one for one in self._run.journal.accepted}
        for conversation_id, (boundary, at, our_time) in self.happened.items():
            rows = await self._run.database.rows(REPLIES, at, conversation_id)
            for reference, is_begun_after in rows:
                begun += [boundary] * is_begun_after
                under_way += not is_begun_after and replies[reference].at > our_time
        return begun, under_way


async def meet(run: Conductor, numbers) -> None:
    """Each contact writes once; until nothing is left to do."""
    for number in numbers:
        await run.traffic.when_not_behind(ANY_NUMBER)
        run.traffic.post_from(number)
    await run.traffic.all_acknowledged()
    await run.settle()
