"""./chatmill bench documents: how fast they are read, killed while they are, and damaged ones."""

import argparse
import contextlib
import io
import json
import random
import resource
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from bench import ingestion_speed
from bench.answering import commit
from bench.ingestion_kills import Kills
from bench.ingestion_speed import MEGABYTE, peak_megabytes
from bench.knowledge_place import knowledge_place
from f.knowledge.chunks import split
from f.knowledge.extraction import extract
from f.knowledge.sandbox import LIMITS
from f.shared.errors import InputRefused
from local.progress import Progress
from local.terminal import heading
from tests.knowledge.seed_files import mutated, seeds

GRACE_SECONDS = 5
# For a text file of 10 MB, in the worker and in the reader.
MOST_MEGABYTES = 300


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    progress = Progress(None if options.json else sys.stdout)
    with progress.phase("From upload to searchable"):
        report = {"commit": commit(), "ingested": ingestion_speed.measure()}
    with progress.phase("One file of each format"):
        report["one_file_ms"] = one_file_each()
    with progress.phase(f"{options.kills} runs killed while they read"):
        report["killed"] = killed(options.kills, options.seed)
    with progress.phase(f"{options.files} damaged files"):
        report["damaged"] = damaged_files(options.files, options.seed)
    print(json.dumps(report, indent=2)) if options.json else print_report(report)
    is_well = report["damaged"]["crashes"] + report["damaged"]["over_the_limits"] == 0
    return 0 if is_well and report["killed"]["is_clean"] and is_small(report["ingested"]) else 1


def is_small(ingested: dict) -> bool:
    large = ingested["text_10_mb"]
    return max(large["worker_megabytes"], large["reader_megabytes"]) <= MOST_MEGABYTES


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chatmill bench documents")
    parser.add_argument("--files", type=int, default=10_000, help="how many damaged files")
    parser.add_argument("--kills", type=int, default=200, help="how often kill -9 while reading")
    parser.add_argument("--seed", type=int, default=1, help="of their damage")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    return parser.parse_args(arguments)


def one_file_each() -> dict:
    files = seeds()
    names = ("plain.md", "faq.csv", "faq.xlsx", "help.html", "text.pdf", "headings.docx")

    def milliseconds(name: str) -> float:
        started = time.perf_counter()
        extract(name, files[name])
        return (time.perf_counter() - started) * 1000

    return {name: round(statistics.median(milliseconds(name) for _ in range(5))) for name in names}


def killed(count: int, seed: int) -> dict:
    started = time.perf_counter()
    with knowledge_place(with_hashing=True) as place:
        report = Kills(place.owner, place.steps, place.model, seed).run(
            place.organization_id, count
        )
    minutes = round((time.perf_counter() - started) / 60, 1)
    return {**asdict(report), "is_clean": report.is_clean, "minutes": minutes}


def damaged_files(count: int, seed: int) -> dict:
    files = seeds()
    log = io.StringIO()

    def one(number: int) -> tuple[str, str, float]:
        chance = random.Random(f"{seed} {number}")
        name = sorted(files)[number % len(files)]
        content = mutated(files[name], list(files.values()), chance)
        started = time.perf_counter()
        return name, outcome(name, content), time.perf_counter() - started

    started = time.perf_counter()
    with contextlib.redirect_stdout(log), ThreadPoolExecutor(2) as pool:
        done = list(pool.map(one, range(count)))
    seconds = [each for _, _, each in done]
    outcomes = Counter(result for _, result, _ in done)
    return {
        "files": count,
        "seeds": len(files),
        "crashes": sum(n for result, n in outcomes.items() if result.startswith("crash")),
        "over_the_limits": sum(each > LIMITS.wall_seconds + GRACE_SECONDS for each in seconds)
        + (peak_megabytes(resource.RUSAGE_CHILDREN) > LIMITS.memory_bytes // MEGABYTE),
        "outcomes": dict(outcomes.most_common()),
        "damage_unknown_to_the_reader": dict(Counter(log.getvalue().splitlines()).most_common(20)),
        "slowest_seconds": round(max(seconds), 2),
        "slowest_file": max(done, key=lambda each: each[2])[0],
        "reader_peak_megabytes": peak_megabytes(resource.RUSAGE_CHILDREN),
        "minutes": round((time.perf_counter() - started) / 60, 1),
    }


def outcome(name: str, content: bytes) -> str:
    try:
        split(extract(name, content))
    except InputRefused as refusal:
        return refusal.code
    except Exception as error:  # noqa: BLE001  counting what should never happen is the purpose
        return f"crash: {type(error).__name__}"
    return "read"


def print_report(report: dict, depth: int = 0) -> None:
    for name, value in report.items():
        words = name.replace("_", " ")
        if not isinstance(value, dict):
            print(f"{'  ' * depth}{words:<{62 - 2 * depth}} {value!s:>12}")
            continue
        print(f"{'  ' * depth}{words}") if depth else heading(words)
        print_report(value, depth + 1)
