"""How fast a source becomes searchable, and what memory the worker and the reader need for it."""

import multiprocessing
import random
import resource
import sys
import time
from collections import Counter

from bench.knowledge_place import KnowledgePlace, knowledge_place
from bench.warm_workspace import WORKSPACE
from f.knowledge import store
from local.ingesting import read_source, reading
from local.migrations import connection_to
from local.places import ROOT
from runner.jobs import StepEvent

MEGABYTE = 1024 * 1024
# With the model that embeds: enough for a steady figure.
PROSE_BYTES = 150_000
LARGE_BYTES = 10 * MEGABYTE


def measure() -> dict:
    """Each in a process of its own: the record of a process's memory only ever grows."""
    found = {}
    for name, size, with_hashing in (
        ("prose", PROSE_BYTES, False),
        ("text_10_mb", LARGE_BYTES, True),
    ):
        with (
            knowledge_place(with_hashing) as place,
            multiprocessing.get_context("spawn").Pool(1) as pool,
        ):
            found[name] = pool.apply(ingest, [place, upload(place, size)])
    return found


def upload(place: KnowledgePlace, size: int) -> str:
    with connection_to(place.owner) as connection:
        source_id = store.add_source(connection, place.organization_id, "a.txt", prose(size))
        connection.commit()
    return source_id


def prose(size: int) -> bytes:
    """Sentences of the demo's articles, in ever new order."""
    chance = random.Random(1)
    articles = [path.read_text() for path in sorted((ROOT / "db" / "demo").glob("*.md"))]
    sentences = [one for text in articles for one in text.replace("\n", " ").split(". ")]
    written = bytearray()
    while len(written) < size:
        written += (". ".join(chance.sample(sentences, 6)) + ".\n\n").encode()
    return bytes(written[:size]).decode(errors="ignore").encode()


def ingest(place: KnowledgePlace, source_id: str) -> dict:
    """From upload to searchable, in this process; the reader is its child."""
    seconds: Counter[str] = Counter()

    def watch(event: StepEvent) -> None:
        if event.kind == "finished" and event.step_id:
            seconds[event.step_id] += event.seconds

    started = time.perf_counter()
    with reading(place.steps, place.model, WORKSPACE) as engine:
        chunks = read_source(engine, source_id, "the source", watch)["chunks"]
    all_seconds = time.perf_counter() - started
    return {
        "embedder": place.model["embedding_model"],
        "chunks": chunks,
        "chunks_per_second": round(chunks / all_seconds, 1),
        "seconds_of_each_step": {name: round(each, 1) for name, each in seconds.items()},
        "worker_megabytes": peak_megabytes(resource.RUSAGE_SELF),
        "reader_megabytes": peak_megabytes(resource.RUSAGE_CHILDREN),
    }


def peak_megabytes(who: int) -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(who).ru_maxrss * unit // MEGABYTE
