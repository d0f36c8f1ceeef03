"""How many chunks of 130 tokens a second become searchable, from the file to the last embedding."""

import random
import time

from bench.knowledge_base import KnowledgeBase
from bench.knowledge_corpus import sentences
from f.knowledge import store
from local.ingesting import read_source, reading

CHUNKS = 256
# The embedder's tokens: some four characters each.
WORDS_PER_CHUNK = 100


def measure(connection, model: dict) -> dict:
    base = KnowledgeBase(connection, model, "Ingest")
    chance = random.Random(5)
    words = " ".join(sentences()).split()
    sections = [
        f"## Part {number}\n\n{' '.join(chance.choices(words, k=WORDS_PER_CHUNK))}\n"
        for number in range(CHUNKS)
    ]
    content = ("# Handbook\n\n" + "\n".join(sections)).encode()
    source_id = store.add_source(connection, base.organization_id, "handbook.md", content)
    connection.commit()
    info = connection.info
    resource = {**info.dsn_parameters, "password": info.password}
    with reading(resource, model) as engine:
        started = time.perf_counter()
        outcome = read_source(engine, source_id, "handbook.md")
        seconds = time.perf_counter() - started
    return {
        "chunks": outcome["chunks"],
        "seconds": round(seconds, 1),
        "chunks_per_second": round(outcome["chunks"] / seconds, 1),
    }
