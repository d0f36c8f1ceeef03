"""One run: stand-ins, workers, contacts who write, and everything that goes wrong meanwhile."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.chaos import stage as stages
from bench.chaos.database import Database
from bench.chaos.dice import Dice
from bench.chaos.engine_api import EngineApi
from bench.chaos.graph import Graph
from bench.chaos.http_server import Reply, Request, serve
from bench.chaos.hub import Hub
from bench.chaos.jobs import Job
from bench.chaos.journal import Accepted, Journal
from bench.chaos.model import Model
from bench.chaos.options import Options
from bench.chaos.receipts import Receipts
from bench.chaos.recovery import Recovery
from bench.chaos.stage import Stage
from bench.chaos.traffic import Traffic
from local.running import Options as EngineOptions
from local.running import Prepared, make_engine
from runner.cron import parse_cron

SCHEDULES = ("f/ops/sweep_conversations",)
DOWN_AFTER_GRACE_SECONDS = (0.3, 1.0)
SETTLING_SECONDS = 180
UNANSWERED_PER_WORKER = 16


@dataclass(frozen=True)
class Rates:
    """How likely a process is hurt at one boundary, and a flow never comes."""

    kill: float = 0.0041
    freeze: float = 0.001
    lost_job: float = 0.01


class Conductor:
    """`story` is who writes what when; without one, all messages while Postgres is stopped.

    `pauses`: where a contact's next flow is held; `hanging`: seconds that the model takes, by the
    first token of a question.
    """

    def __init__(
        self,
        stage: Stage,
        options: Options,
        rates: Rates = Rates(),
        story: Callable[["Conductor"], Awaitable[None]] | None = None,
    ):
        self.journal = Journal()
        self.recovery = Recovery(self.journal)
        self.stage = stage
        self.options = options
        self.dice = Dice(options.seed)
        self.hub: Hub | None = None
        self.nursery: stages.Nursery | None = None
        self._servers: list[asyncio.Server] = []
        self.database = Database(stage.resource, stage.state, self.journal)
        self._rates = rates
        self._story = story or mixed
        self._started: dict[str, int] = {}
        self.pauses: dict[str, str] = {}
        self.hanging: dict[str, float] = {}
        self._has = options.faults.__contains__

    async def run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="chatmill-chaos-") as folder:
            address = f"{folder}/conductor"
            try:
                await self._open(address)
                await self._go()
            finally:
                await self._close()

    async def _open(self, address: str) -> None:
        server, base_url = await serve(self._answer)
        self._servers.append(server)
        model = stages.model_at(base_url)
        channels = stages.connect_channels(self.stage, base_url)
        stages.set_limits(self.stage, self.options.grace_seconds)
        ready = Prepared(self.stage.resource, model, self.stage.secrets)
        engine = make_engine(ready, EngineOptions())
        self.api = EngineApi(engine, self._start_flow)
        setup = {"socket": address, "base_url": base_url, "seed": self.options.seed}
        self.nursery = await stages.open_nursery(
            self.stage, model, isolated=self.options.isolated, **setup
        )
        rates = {
            "kill_rate": self._rates.kill * self._has("kill"),
            "freeze_rate": self._rates.freeze * self._has("freeze"),
        }
        self.hub = Hub(self.journal, self.recovery, rates, self.nursery.want)
        self._servers.append(
            await asyncio.start_unix_server(self.hub.connected, address, limit=1 << 20)
        )
        self.traffic = Traffic(
            self.journal,
            self.recovery,
            self.dice,
            self.hub,
            channels,
            self.stage.secrets.app_secret,
            self._has("webhooks"),
        )
        late = self.options.grace_seconds * 0.4
        self.receipts = Receipts(self.traffic, self.dice, self._has("receipts"), late)
        self.graph = Graph(
            self.journal,
            self.dice,
            self._has("sends"),
            time.monotonic,
            self.receipts.accepted,
            self._is_over,
        )
        self.model = Model(self.journal, self.dice, self.options.faults, self.hanging)
        self._schedules = [one.metadata for one in engine.workspace.schedules]
        for number in range(self.options.workers + max(2, self.options.workers // 2)):
            self.nursery.want("runner" if number < self.options.workers else "receiver")

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        if self.hub:
            await self.hub.close()
        if self.nursery:
            await self.nursery.close()

    async def _go(self) -> None:
        self.started_at = time.monotonic()
        loop = asyncio.get_running_loop()
        helpers = [loop.create_task(one) for one in (self._schedule(), self._look_up())]
        try:
            await self._story(self)
            self.hub.rates = {"kill_rate": 0, "freeze_rate": 0}
            self.is_settled = await self.settle()
            self.ended_at = time.monotonic()
        finally:
            for task in helpers:
                task.cancel()

    async def settle(self) -> bool:
        """Nobody helps: only the sweep's own schedule goes on."""
        deadline = time.monotonic() + SETTLING_SECONDS
        while time.monotonic() < deadline:
            if await self.database.unfinished() == 0 and not self.receipts.waiting:
                return True
            await asyncio.sleep(0.25)
        return False

    def _answer(self, request: Request) -> Reply:
        if request.path.startswith("/api/"):
            return self.api.answer(request)
        return (self.model if request.path.startswith("/v1/") else self.graph).answer(request)

    def _is_over(self, reply: Accepted) -> None:
        """The vendor took the reply, or refused it for good."""
        self.recovery.replied(reply.contact, reply.tokens)

    def _start_flow(self, path: str, args: dict, wait_seconds: float) -> str:
        conversation_id = args.get("conversation_id", "")
        known = self.recovery.contacts.get(conversation_id, conversation_id)
        number = self._started[known] = self._started.get(known, 0) + 1
        job = Job("flow", path, f"{known}/{number}", args, conversation_id=conversation_id)
        job.pause_at = self.pauses.get(known)
        is_lost = self.dice.roll("job", job.key) < self._rates.lost_job
        if is_lost and self._has("jobs"):
            self.journal.counts["jobs lost"] += 1
            self.journal.note(conversation_id, "flow lost")
            self.recovery.disturbed(conversation_id)
        else:
            self.journal.note(conversation_id, f"flow in {wait_seconds:.1f} s")
            self.hub.put(job, wait_seconds)
        return job.id

    async def _schedule(self) -> None:
        """The workspace's own times; a run that lasts keeps the next one waiting."""
        chosen = [one for one in self._schedules if one["script_path"] in SCHEDULES]
        crons = [(one, parse_cron(one["schedule"], one["timezone"])) for one in chosen]
        due = {one["script_path"]: cron.next_after(datetime.now(UTC)) for one, cron in crons}
        for tick in range(10**9):
            await asyncio.sleep(0.1)
            for one, cron in crons:
                path, now = one["script_path"], datetime.now(UTC)
                if due[path] <= now:
                    due[path] = cron.next_after(now)
                    if not (one.get("no_flow_overlap") and self.hub.is_running(path)):
                        self.hub.put(Job("script", path, f"{path}/{tick}", one.get("args") or {}))

    async def _look_up(self) -> None:
        """Whose conversation is whose: keys of the dice must not be random ids."""
        while True:
            await asyncio.sleep(0.5)
            if self.database.is_up:
                with suppress(OSError):
                    for conversation_id, contact in (await self.database.contacts()).items():
                        self.recovery.known(conversation_id, contact)


async def mixed(run: Conductor) -> None:
    stops = asyncio.create_task(stop_database(run))
    try:
        await run.traffic.write(run.options.messages, UNANSWERED_PER_WORKER * run.options.workers)
        await run.traffic.all_acknowledged()
        await stops
    finally:
        stops.cancel()


async def stop_database(run: Conductor) -> None:
    """Spread over the run by how much of it has been written."""
    stops = run.options.database_stops if "database" in run.options.faults else 0
    for number in range(1, stops + 1):
        share = number / (stops + 1)
        while len(run.journal.messages) < share * run.options.messages:
            await asyncio.sleep(0.05)
        how = "killed" if run.dice.roll("stop", number) < 0.5 else "stopped"
        more = run.dice.between(*DOWN_AFTER_GRACE_SECONDS, "down", number)
        await run.database.stop_and_start(how, run.options.grace_seconds + more)
        run.recovery.database_is_back()
