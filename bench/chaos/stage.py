"""What a run stands on: a Postgres of its own, several organizations, and a nursery for workers."""

import asyncio
import json
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.answering import fresh_database
from bench.chaos.database import changed
from local import installation
from local.places import ROOT, STATE, only_instance, private_folder
from local.scratch_postgres import open_scratch_postgres
from local.secrets_file import Secrets, load_secrets

ORGANIZATIONS = 4
MODEL_NAME = "chatmill-offline"
EMBEDDING_MODEL = "hashing-384"


@dataclass(frozen=True)
class Stage:
    state: Path
    resource: dict
    secrets: Secrets
    organization_ids: list[str]


@contextmanager
def set_up():
    """Alone on this machine's copy of the project: a run stops its Postgres."""
    private_folder(STATE)
    with only_instance(STATE, "chaos"), open_scratch_postgres("chaos") as (state, postgres):
        resource = fresh_database(postgres)
        secrets = load_secrets(state)
        others = [installation.make_organization(resource) for _ in range(ORGANIZATIONS - 1)]
        yield Stage(state, resource, secrets, [installation.DEMO_ORGANIZATION, *others])


SETTINGS = """
update channels set receipt_grace_seconds = %s;
-- These contacts write faster than people read.
update chatbots set debounce_seconds = 0, loop_limit = 1000000;
update plans set message_limit = 10000000, token_limit = 1000000000000;
"""


def set_limits(stage: Stage, grace_seconds: int) -> None:
    """Nothing but the faults may stop an answer."""
    with changed(stage.resource) as cursor:
        cursor.execute(SETTINGS, [grace_seconds])


def connect_channels(stage: Stage, graph_url: str) -> list[tuple[str, str]]:
    """The address and the phone number id of each organization's WhatsApp channel."""
    channels = []
    for organization_id in stage.organization_ids:
        installation.connect_channels(stage.resource, organization_id, stage.secrets, graph_url)
        channel = installation.channels_of(stage.resource, organization_id)["whatsapp"]
        channels.append((f"/chatmill/{channel.url_key}", channel.account_id))
    return channels


def model_at(base_url: str) -> dict:
    names = {"model": MODEL_NAME, "embedding_model": EMBEDDING_MODEL}
    return {"base_url": f"{base_url}/v1", "api_key": "chaos", **names}


class Nursery:
    """The warm parent's process; `want` asks it for one more worker."""

    def __init__(self, process: asyncio.subprocess.Process):
        self._process = process

    def want(self, kind: str) -> None:
        self._process.stdin.write(json.dumps({"kind": kind}).encode() + b"\n")

    async def close(self) -> None:
        self._process.kill()
        await self._process.communicate()


async def open_nursery(stage: Stage, model: dict, **setup) -> Nursery:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-Pm",
        "bench.chaos.nursery",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        start_new_session=True,
    )
    facts = {"resource": stage.resource, "model": model, "secrets": asdict(stage.secrets)}
    process.stdin.write(json.dumps({**facts, **setup}).encode() + b"\n")
    if await process.stdout.readline() != b"ready\n":
        raise RuntimeError("the nursery did not start; its reason is printed above")
    return Nursery(process)
