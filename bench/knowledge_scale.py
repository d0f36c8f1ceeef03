"""How long a search takes in organizations of several sizes beside 1,000,000 chunks of others.

Searches run one at a time through f/knowledge/search on a connection that is open, full text
included; embedding the question is not, nor reading what stands around the passages, which has its
own figure. Recall is what share of an exact scan's ten nearest (numpy) are among the ten nearest
of a search by meaning alone, without votes.
"""

import os
import re
import statistics
import time
from pathlib import Path

import numpy as np
import yaml

from bench.knowledge_corpus import Corpus, Made, sentences
from f.knowledge.divide_chunk_sets import DIVIDE, EMBEDDINGS_PER_TRANSACTION, FIND_SETS, MOVE
from f.knowledge.embeddings import embed
from f.knowledge.search import Weights, neighbours_of, search
from local.documents import DEMO_DOCUMENTS
from local.progress import Progress

SIZES = (1_000, 10_000, 100_000)
OTHERS = 1_000_000
QUICK_OTHERS = 50_000
CHUNKS_OF_ANOTHER = 10_000
QUESTIONS = [
    one["question"] for one in yaml.safe_load((DEMO_DOCUMENTS / "questions.yaml").read_text())
]
SEARCHES = 200
WARMING_UP = 10
NO_VOTES = Weights(words=0, votes_margin=1e9)


def measure(conn, model: dict, progress: Progress, is_quick: bool) -> dict:
    texts = [text for text in sentences() if not re.search(r"[\t\\]", text)]
    with progress.phase("Embed the sentences that chunks are made of"):
        vectors = np.array(embed(model, texts), dtype=np.float32)
        asked = np.array(embed(model, QUESTIONS), dtype=np.float32)
    corpus, others = Corpus(conn, texts, vectors), QUICK_OTHERS if is_quick else OTHERS
    made = {}
    for size in SIZES[:-1] if is_quick else SIZES:
        with progress.phase(f"Write {size:,} chunks of one organization"):
            made[size] = corpus.add(size)
    with progress.phase(f"Write {others:,} chunks of others"):
        for _ in range(others // CHUNKS_OF_ANOTHER):
            corpus.add(CHUNKS_OF_ANOTHER, with_words=False)
    with progress.phase("Analyze, as autovacuum does in time"):
        vacuum(conn)
    with progress.phase("Divide the large ones, as the schedule does"):
        divide(conn)
    with progress.phase("Vacuum, as autovacuum does in time"):
        vacuum(conn)
    sizes = {}
    for size, organization in made.items():
        with progress.phase(f"Search {size:,} chunks"):
            sizes[str(size)] = timed(conn, organization, asked)
    return {"others": others, "sizes": sizes, "load_average": round(os.getloadavg()[1], 1)}


def divide(conn) -> None:
    with conn.cursor() as cursor:
        cursor.execute(FIND_SETS)
        for organization_id, chunk_set_id, cells in cursor.fetchall():
            cursor.execute(DIVIDE, [organization_id, chunk_set_id, cells])
            while True:
                values = [organization_id, chunk_set_id, EMBEDDINGS_PER_TRANSACTION]
                cursor.execute(MOVE, values)
                if not cursor.fetchone()[0]:
                    break
    conn.commit()


def vacuum(conn) -> None:
    conn.commit()
    conn.autocommit = True
    with conn.cursor() as cursor:
        for table in ("embeddings", "chunks", "words", "documents"):
            cursor.execute(f"vacuum analyze {table}")
    conn.autocommit = False


def timed(conn, made: Made, asked: np.ndarray) -> dict:
    with conn.cursor() as cursor:
        # As the agent searches: under row-level security, in a transaction of one organization.
        cursor.execute("select prove_organization(%s)", [made.organization_id])
        cursor.execute("set local role chatmill_worker")
    milliseconds, around = [], []
    before = backend_cpu_seconds(conn)
    for number in range(-WARMING_UP, SEARCHES):
        # Every third question names a code as people do.
        question = QUESTIONS[number % len(QUESTIONS)]
        if number % 3 == 0:
            question += f" {made.codes[number]}"
        vector = asked[number % len(asked)].tolist()
        started = time.perf_counter()
        passages = search(conn, made.organization_id, question, vector, "made")
        found = time.perf_counter()
        neighbours_of(conn, made.organization_id, passages)
        if number >= 0:
            milliseconds.append((found - started) * 1000)
            around.append((time.perf_counter() - found) * 1000)
    cpu_seconds = backend_cpu_seconds(conn) - before
    recalls = [recall(conn, made, vector) for vector in asked]
    codes = codes_found_first(conn, made, asked)
    conn.commit()
    return {
        "p50_ms": round(statistics.median(milliseconds), 1),
        "p95_ms": p95(milliseconds),
        "neighbours_p95_ms": p95(around),
        "cpu_ms": round(cpu_seconds * 1000 / (SEARCHES + WARMING_UP), 1),
        "recall_at_10": round(statistics.mean(recalls), 4),
        "codes_found_first": codes,
    }


def p95(milliseconds: list[float]) -> float:
    return round(statistics.quantiles(milliseconds, n=20)[-1], 1)


def backend_cpu_seconds(conn) -> float:
    """What the database's process for this connection has used: others' load is not in it."""
    stat = Path(f"/proc/{conn.info.backend_pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def recall(conn, made: Made, vector: np.ndarray) -> float:
    nearest = np.argpartition(-(made.vectors @ vector), 10)[:10]
    wanted = {made.chunk_ids[place] for place in nearest}
    passages = search(
        conn, made.organization_id, "", vector.tolist(), "made", limit=20, weights=NO_VOTES
    )
    passages.sort(key=lambda passage: -passage.similarity)
    return len(wanted & {passage.chunk_id for passage in passages[:10]}) / 10


def codes_found_first(conn, made: Made, asked: np.ndarray) -> str:
    places = range(0, len(made.codes), max(1, len(made.codes) // 20))
    found = [
        search(conn, made.organization_id, made.codes[place], asked[0].tolist(), "made", 1)
        for place in places
    ]
    first = sum(
        bool(passages) and passages[0].chunk_id == made.chunk_ids[place]
        for place, passages in zip(places, found, strict=True)
    )
    return f"{first} of {len(found)}"
