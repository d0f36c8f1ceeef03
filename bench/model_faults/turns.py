"""Contacts who have an order cancelled: one turn that asks for a yes, one that does it.

Everything is real but the vendors: webhooks, flows, Postgres, the tool as a script of its own, and
the Graph API's stand-in, whose log is the judge together with the shop's.
"""

import argparse
import random
import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from bench.chaos.database import changed
from bench.chaos.stage import SETTINGS
from bench.load import Receiver
from bench.model_faults.vendor import DONE, FAULTS
from bench.model_faults.vendors import vendors
from local import installation, models_command
from local.json_server import JsonServer, Reply, Request
from local.places import ROOT
from local.progress import Progress
from local.running import Options, Prepared, Running, running
from local.tool_approvals import Approval, approve
from local.whatsapp_webhook import post_signed, text_message
from runner.checks import load_checked_workspace

SHOP = Path(__file__).with_name("shop")
TOOL = "f/shop/cancel_order"
LONGEST_TURN_SECONDS = 60
LONGEST_WAIT_SECONDS = 150  # one that comes too late is told from one that never comes
AT_A_TIME = 48
KILL_EVERY_SECONDS = 6
TITLE = "Cancel an order"
GRACE_SECONDS = 120
FIRST_NUMBER = 351_900_000_000


@dataclass
class Seen:
    """`replies`: what a contact read in a turn, with the seconds until then; None: nothing."""

    turns: list[tuple[str, str | None, float]] = field(default_factory=list)
    cancelled: Counter = field(default_factory=Counter)
    faults: Counter = field(default_factory=Counter)
    accepted: Counter = field(default_factory=Counter)
    own_words: set[str] = field(default_factory=set)
    seconds: float = 0


class Shop(JsonServer):
    def __init__(self, cancelled: Counter):
        self._cancelled = cancelled
        super().__init__(self._cancel)

    def _cancel(self, request: Request) -> Reply:
        self._cancelled[request.json()["number"]] += 1
        return Reply(200, {})


OWN_WORDS = "select failure_notice, unknown_reply, handoff_reply from chatbots"


def run(
    resource: dict, secrets, turns: int, seed: int, progress: Progress, faults: dict = FAULTS
) -> Seen:
    """`faults`: chance of each, of a call."""
    seen, chance = Seen(), random.Random(seed)
    with changed(resource) as cursor:
        cursor.execute(OWN_WORDS)
        seen.own_words = {words for row in cursor for words in row}
    with ExitStack() as stack:
        failing = vendors(chance, KILL_EVERY_SECONDS, faults)
        addresses, seen.faults = stack.enter_context(failing)
        shop = stack.enter_context(Shop(seen.cancelled))
        workspace = stack.enter_context(workspace_with_shop())
        set_up(resource, secrets, addresses, workspace)
        organization_id = installation.DEMO_ORGANIZATION
        account_id = installation.channels_of(resource, organization_id)["whatsapp"].account_id
        graph = stack.enter_context(Receiver(secrets.access_token, account_id))
        installation.connect_channels(resource, organization_id, secrets, graph.base_url)
        model = {"base_url": addresses[0], "api_key": "", "model": "m", "embedding_model": "none"}
        how = Options(
            with_graph=False,
            workspace=workspace,
            worker_threads=2 * AT_A_TIME,
            variables={"f/shop/url": shop.base_url},
        )
        ready = Prepared(resource, model, secrets)
        engine = stack.enter_context(running(ready, organization_id, Progress(), how))
        with progress.phase(f"{turns} turns, {AT_A_TIME} contacts at a time"):
            write(engine, graph, max(1, turns // 2), seen)
    return seen


@contextmanager
def workspace_with_shop():
    with tempfile.TemporaryDirectory(prefix="chatmill-bench-") as folder:
        shutil.copytree(ROOT / "f", Path(folder, "f"), ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(SHOP, Path(folder, "f", "shop"))
        yield load_checked_workspace(Path(folder))


def set_up(resource: dict, secrets, addresses: list[str], workspace) -> None:
    with changed(resource) as cursor:
        cursor.execute(SETTINGS, [GRACE_SECONDS])
    for number, address in enumerate(addresses):
        slot = argparse.Namespace(
            kind="openai", model=f"model-{number}", base_url=address, tier=0, weight=1,
            economy=False, transcription=False, sees_pictures=None, chatbot=None,
        )  # fmt: skip
        models_command.add(resource, secrets.sealing_key, slot, "key")
    approval = Approval("write", "the bench", title=TITLE, honours_key=False)
    approve(resource, workspace.scripts[TOOL], None, approval)


def write(engine: Running, graph: Receiver, contacts: int, seen: Seen) -> None:
    started = time.perf_counter()
    url, secret = engine.route("whatsapp"), engine.prepared.secrets.app_secret
    account_id = engine.channels["whatsapp"].account_id

    def say(number: str, text: str) -> tuple[str | None, float]:
        replied = graph.waiting[number] = Event()
        begun = time.perf_counter()
        answer = post_signed(url, text_message(account_id, text, number), secret)
        if answer.status != 200:
            raise RuntimeError(f"the webhook was answered {answer.status}")
        is_there = replied.wait(LONGEST_WAIT_SECONDS)
        seconds = time.perf_counter() - begun
        read = [one.text for one in graph.accepted if one.to.lstrip("+") == number]
        return (read[-1] if is_there and read else None), seconds

    def talk(place: int) -> None:
        number, order = str(FIRST_NUMBER + place), str(1000 + place)
        asked = say(number, f"Please cancel order {order}")
        seen.turns.append((f"asks {order}", *asked))
        if asked[0] and TITLE in asked[0]:
            seen.turns.append((f"does {order}", *say(number, "Yes")))

    with ThreadPoolExecutor(AT_A_TIME) as people:
        list(people.map(talk, range(contacts)))
    seen.accepted = Counter((one.to.lstrip("+"), one.text) for one in graph.accepted)
    seen.seconds = time.perf_counter() - started


def is_whole(turn: str, text: str) -> bool:
    kind, order = turn.split()
    if kind == "does":
        return text == DONE.format(order, order)
    return TITLE in text and f"number: {order}" in text
