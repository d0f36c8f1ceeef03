"""./chatmill bench knowledge: how well and how fast documents are searched, by which embedder."""

import argparse
import json
import sys
from pathlib import Path

import bench.knowledge_demo as demo
import bench.knowledge_exact as exact
import bench.knowledge_faq as faq
import bench.knowledge_grouping as grouping
import bench.knowledge_ingest as ingest
import bench.knowledge_scale as scale
import bench.knowledge_tuning as tuning
from bench.answering import commit, fresh_database, machine
from bench.knowledge_report import print_report
from local.errors import CannotRun
from local.migrations import connection_to
from local.models import open_model
from local.places import ROOT, STATE
from local.postgres import open_postgres
from local.progress import Progress

SHARED_DATA = ROOT.parent / "shared" / "data" / "stackfaq.json"


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    items = faq.read_items(options.data) if options.data else None
    if options.tune and not items:
        raise CannotRun("weights are chosen on a file of questions: name it with --data.")
    progress = Progress(sys.stderr if options.json else sys.stdout)
    with open_postgres(STATE) as postgres, open_model() as model:
        with connection_to(fresh_database(postgres)) as connection:
            report = {
                "commit": commit(),
                "machine": machine(),
                "embedder": model["embedding_model"],
                "data": str(options.data) if options.data else None,
                **measure(connection, model, items, progress, options),
            }
    print(json.dumps(report, indent=2)) if options.json else print_report(report)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill bench knowledge",
        description="The figures of retrieval. With 1,000,000 chunks of others: some ten minutes.",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=SHARED_DATA if SHARED_DATA.exists() else None,
        help=f"a file of {faq.FORM}",
    )
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument(
        "--quick", action="store_true", help="at most 10,000 chunks beside 50,000 of others"
    )
    parser.add_argument(
        "--tune", action="store_true", help="choose weights on half of --data, and nothing else"
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; repeatable")
    return parser.parse_args(arguments)


def measure(connection, model: dict, items: list | None, progress: Progress, options) -> dict:
    if options.tune:
        return {"tuning": tuning.measure(connection, model, items, progress)}
    found = {}
    parts = [name for name in PARTS if name in (options.only or PARTS)]
    if "quality" in parts and items:
        for name, with_question in (("question_and_answer", True), ("answer", False)):
            with progress.phase(f"Questions, {name.replace('_', ' ')}"):
                found[name] = faq.measure(connection, model, items, with_question)
    if "grouping" in parts and items:
        with progress.phase("Questions that ask the same"):
            found["grouping"] = grouping.measure(model, items)
    for name, phase, part in (
        ("help_centre", "The demo's help centre", demo.measure),
        ("exact", "Codes, names and numbers", exact.measure),
        ("ingest", "Ingestion", ingest.measure),
    ):
        if name in parts:
            with progress.phase(phase):
                found[name] = part(connection, model)
    if "scale" in parts:
        found["scale"] = scale.measure(connection, model, progress, options.quick)
    return found


PARTS = ["quality", "grouping", "help_centre", "exact", "ingest", "scale"]
