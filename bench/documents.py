"""./chatmill bench documents: damaged files read in the sandbox, its cost, and a 10 MB text."""

import argparse
import contextlib
import io
import json
import multiprocessing
import random
import resource
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from f.knowledge.chunks import split
from f.knowledge.extraction import extract
from f.knowledge.sandbox import LIMITS
from f.shared.errors import InputRefused
from local.progress import Progress
from local.terminal import heading
from tests.knowledge.seed_files import mutated, seeds

MEGABYTE = 1024 * 1024
GRACE_SECONDS = 5


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    progress = Progress(None if options.json else sys.stdout)
    with progress.phase("A text of 10 MB"):
        report = {"text_10_mb": in_own_process(large_text)}
    with progress.phase("One file of each format"):
        report["one_file_ms"] = one_file_each()
    with progress.phase(f"{options.files} damaged files"):
        report["damaged"] = damaged_files(options.files, options.seed)
    print(json.dumps(report, indent=2)) if options.json else print_report(report)
    return 0 if report["damaged"]["crashes"] + report["damaged"]["over_the_limits"] == 0 else 1


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chatmill bench documents")
    parser.add_argument("--files", type=int, default=10_000, help="how many damaged files")
    parser.add_argument("--seed", type=int, default=1, help="of their damage")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    return parser.parse_args(arguments)


def in_own_process(measure) -> dict:
    """Memory of a process only ever grows in its record, so each figure gets a new one."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure)


def large_text() -> dict:
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnoprstuv", k=6)) for _ in range(5000)]
    text = ""
    while len(text) < 10 * MEGABYTE:
        text += " ".join(chance.choices(words, k=2000)) + ".\n\n"
    content = text[: 10 * MEGABYTE].encode()
    del text
    before = peak_megabytes(resource.RUSAGE_SELF)
    started = time.perf_counter()
    extracted = extract("a.txt", content)
    read = time.perf_counter()
    chunks = split(extracted)
    return {
        "chunks": len(chunks),
        "read_seconds": round(read - started, 2),
        "split_seconds": round(time.perf_counter() - read, 2),
        "before_megabytes": before,
        "this_process_megabytes": peak_megabytes(resource.RUSAGE_SELF),
        "reader_megabytes": peak_megabytes(resource.RUSAGE_CHILDREN),
    }


def peak_megabytes(who: int) -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(who).ru_maxrss * unit // MEGABYTE


def one_file_each() -> dict:
    files = seeds()
    names = ("plain.md", "faq.csv", "faq.xlsx", "help.html", "text.pdf", "headings.docx")

    def milliseconds(name: str) -> float:
        started = time.perf_counter()
        extract(name, files[name])
        return (time.perf_counter() - started) * 1000

    return {name: round(statistics.median(milliseconds(name) for _ in range(5))) for name in names}


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


def print_report(report: dict) -> None:
    for name, figures in report.items():
        heading(name.replace("_", " "))
        for key, value in figures.items():
            if isinstance(value, dict):
                print(f"  {key.replace('_', ' ')}")
                for inner, number in value.items():
                    print(f"    {inner:<60} {number:>8}")
            else:
                print(f"  {key.replace('_', ' '):<36} {value:>10}")
