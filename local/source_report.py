"""Sources as lines of a terminal."""

import shlex

from local.progress import duration
from local.terminal import heading, paint, shortened, wrapped
from runner.jobs import StepEvent

COLOURS = {"ready": "green", "refused": "red"}
NEXT = "There are none. Add one: ./chatmill sources add FILE|URL"


def print_sources(sources: list[dict]) -> None:
    if not sources:
        print(NEXT)
        return
    heading(counted(len(sources), "source"))
    for source in sources:
        print_source(source)


def print_read(sources: list[dict]) -> None:
    for source in sources:
        print_source(source)
    if not sources:
        print("Nothing was due.")


def print_source(source: dict) -> None:
    indent = "    " if source["found_by"] else "  "
    state = paint(f"{source['state']:<8}", COLOURS.get(source["state"], "dim"))
    print(f"{indent}{state} {shortened(source['name'], 38):<38} {size_of(source):>22}")
    if source["tags"]:
        print(paint(wrapped(f"tags: {', '.join(source['tags'])}", f"{indent}         "), "dim"))
    if source["progress"]:
        print(paint(f"{indent}         {in_words(source['progress'])}", "dim"))
    if source["state"] == "held":
        how = f"a new version waits: ./chatmill sources review {shlex.quote(source['name'])}"
        print(paint(wrapped(how, f"{indent}         "), "dim"))
    if source["refusal"]:
        print(wrapped(f"{source['refusal_code']}: {source['refusal']}", f"{indent}         "))


def size_of(source: dict) -> str:
    if source["kind"] == "sitemap":
        return counted(source["pages_found"], "page")
    return counted(source["chunk_count"], "chunk")


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def in_words(progress: dict) -> str:
    done = progress["chunks"] - progress["chunks_left"]
    left = "" if progress["seconds_left"] is None else f", {progress['seconds_left']} s left"
    pages, chunks = counted(progress["pages"], "page"), counted(progress["chunks"], "chunk")
    return f"{pages}, {done:,} of {chunks}{left}"


def step_printer(event: StepEvent) -> None:
    if event.kind != "finished" or not event.step_id or not isinstance(event.result, dict):
        return
    told = in_words(event.result) if "chunks" in event.result else event.result.get("state", "")
    print(f"  {event.step_id:<18} {duration(event.seconds):>8}  {paint(told, 'dim')}", flush=True)
