"""./chatmill sources: what an organization answers from, and what is done to it."""

import argparse
import json
import re
import sys
from contextlib import contextmanager
from pathlib import Path

from f.knowledge import held_versions, sources
from local import source_facts, source_review
from local.documents import model_hint, read_bytes, told_of_refusal
from local.errors import CannotRun
from local.ingesting import read_source, reading
from local.migrations import connection_to, migrate
from local.places import STATE
from local.postgres import open_postgres
from local.progress import Progress
from local.running import prepared
from local.source_report import print_read, print_sources, step_printer
from local.verbs import give_acts

NOT_SEEN = (
    "What nobody sees on a page is not read, as far as its own attributes and style sheets hide it:"
    " it may be meant to mislead programs. Read is what only scripts or style sheets at other"
    " addresses hide, and what an XLSX or PDF hides in its cells and pages."
)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    return options.act(options)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill sources",
        description="Files, pages and sitemaps that an organization answers from.",
    )
    acts = parser.add_subparsers(
        dest="verb", metavar="list | add | tag | sync | hold | review | remove"
    )
    listed = acts.add_parser("list", help="all of them, with what to do about those refused")
    added = acts.add_parser(
        "add", help="files, and addresses of pages or sitemaps", epilog=NOT_SEEN
    )
    added.add_argument("what", nargs="+", metavar="FILE|URL")
    added.add_argument("--sitemap", action="store_true", help="addresses are of sitemaps")
    added.add_argument(
        "--every", type=hours, default=24, metavar="HOURS", help="look again (24; 0: never)"
    )
    added.add_argument("--hold", action="store_true", help="and wait for its review")
    added.add_argument(
        "--tag",
        type=tag,
        action="append",
        default=[],
        metavar="TAG",
        help="what it is for; repeatable",
    )
    tagged = acts.add_parser("tag", help="what sources are for: see source_tags of a chatbot")
    tagged.add_argument("tag", type=tag, metavar="TAG")
    tagged.add_argument("which", nargs="+", metavar="SOURCE", help="a sitemap: its pages too")
    tagged.add_argument("--off", action="store_true", help="no longer")
    synced = acts.add_parser("sync", help="look now whether pages changed, and read what waits")
    synced.add_argument("which", nargs="*", metavar="SOURCE", help="ids, names or addresses")
    holding = acts.add_parser("hold", help="from now on, new versions wait for a review")
    holding.add_argument("which", nargs="+", metavar="SOURCE")
    holding.add_argument("--off", action="store_true", help="no longer")
    reviewed = acts.add_parser("review", help="what a held version changes; show or drop it")
    source_review.add_options(reviewed)
    removed = acts.add_parser("remove", help="forget a source and everything made of it")
    removed.add_argument("which", nargs="+", metavar="SOURCE")
    verbs = {
        listed: show,
        added: add,
        tagged: give_tag,
        synced: sync,
        holding: hold,
        reviewed: review,
        removed: remove,
    }
    give_acts(parser, show, verbs)
    return parser.parse_args(arguments)


def hours(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 8760):
        raise argparse.ArgumentTypeError(f"{text} is no number of hours; there are 0 to 8760")
    return int(text)


def tag(text: str) -> str:
    if not re.fullmatch(r"[\w-]{1,50}", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no tag: letters, digits, _ and -, at most 50"
        )
    return text.lower()


def show(options: argparse.Namespace) -> int:
    with database() as resource:
        found = source_facts.all_of(resource, options.organization)
    if options.json:
        print(json.dumps(found, indent=2, default=str, ensure_ascii=False))
    else:
        print_sources(found)
    return 0


def add(options: argparse.Namespace) -> int:
    addresses = [one for one in options.what if "://" in one]
    documents: dict[str, bytes] = {}
    for path in options.what:
        if path not in addresses:
            documents = with_document(documents, path)
    with ready(options) as (resource, model):
        with connection_to(resource) as connection:
            found = [add_file(connection, options, *one) for one in documents.items()]
            found += [add_address(connection, options, one) for one in addresses]
            sources.tag(connection, options.organization, found, options.tag)
            if options.hold:
                held_versions.review(connection, options.organization, found, True)
            connection.commit()
        return read_all(resource, model, options, found)


def with_document(documents: dict[str, bytes], path: str) -> dict[str, bytes]:
    if not Path(path).exists():
        raise CannotRun(f"there is no file {path}. An address begins with https://.")
    name, content = Path(path).name, read_bytes(path)
    if documents.get(name, content) != content:
        raise CannotRun(f"two of these files are called {name}: one would replace the other.")
    return {**documents, name: content}


def add_file(connection, options: argparse.Namespace, name: str, content: bytes) -> str:
    with told_of_refusal(name):
        return sources.add_file(connection, options.organization, name, content)


def add_address(connection, options: argparse.Namespace, url: str) -> str:
    is_sitemap = options.sitemap or url.endswith((".xml", ".xml.gz"))
    kind = "sitemap" if is_sitemap else "page"
    with told_of_refusal(url):
        return sources.add_address(
            connection, options.organization, kind, url, options.every or None
        )


def sync(options: argparse.Namespace) -> int:
    with ready(options) as (resource, model):
        found = named(resource, options)
        source_facts.make_due(resource, options.organization, found)
        return read_all(resource, model, options, found)


def read_all(
    resource: dict, model: dict, options: argparse.Namespace, source_ids: list[str]
) -> int:
    """Those, then what is due: pages that a sitemap lists among it."""
    read: list[str] = []
    replaced: list[str] = []
    watch = None if options.json or not sys.stdout.isatty() else step_printer
    with reading(resource, model) as engine:
        while waiting := [
            *(one for one in source_ids if one not in read),
            *source_facts.due(resource, options.organization, besides=read),
        ]:
            read.append(waiting[0])
            try:
                outcome = read_source(engine, waiting[0], "The source", watch)
            except CannotRun as error:
                raise CannotRun(f"{error} {model_hint(model)}") from error
            if outcome["state"] == "replaced" and waiting[0] in source_ids:
                replaced.append(waiting[0])
    found = [
        one for one in source_facts.all_of(resource, options.organization) if one["id"] in read
    ]
    if options.json:
        print(json.dumps(found, indent=2, default=str, ensure_ascii=False))
    else:
        print_read(found)
    if replaced:
        raise CannotRun(
            "another command reads the same source now, or gave it another content:"
            " see ./chatmill sources."
        )
    return 1 if any(one["state"] == "refused" for one in found) else 0


def hold(options: argparse.Namespace) -> int:
    is_held = not options.off
    with database() as resource:
        found = named(resource, options)
        with connection_to(resource) as connection:
            held_versions.review(connection, options.organization, found, is_held)
            connection.commit()
    sentence = "New versions wait for review." if is_held else "New versions are searched at once."
    print(json.dumps({"reviewed": is_held, "sources": found}) if options.json else sentence)
    return 0


def give_tag(options: argparse.Namespace) -> int:
    with database() as resource:
        found = named(resource, options)
        with connection_to(resource) as connection:
            sources.tag(connection, options.organization, found, [options.tag], not options.off)
            connection.commit()
    changed = {"tag": options.tag, "is_on": not options.off, "sources": found}
    sentence = f"{options.tag} is {'no longer a' if options.off else 'a'} tag of {len(found)}."
    print(json.dumps(changed) if options.json else sentence)
    return 0


def review(options: argparse.Namespace) -> int:
    with ready(options) as (resource, model):
        return source_review.review(options, resource, model)


def remove(options: argparse.Namespace) -> int:
    with database() as resource:
        found = named(resource, options)
        source_facts.remove(resource, options.organization, found)
    print(json.dumps({"removed": found}) if options.json else f"Removed {len(found)}.")
    return 0


def named(resource: dict, options: argparse.Namespace) -> list[str]:
    return [source_facts.find(resource, options.organization, one) for one in options.which]


@contextmanager
def database():
    with open_postgres(STATE) as postgres:
        migrate(postgres.resource)
        yield postgres.resource


@contextmanager
def ready(options: argparse.Namespace):
    progress = Progress(sys.stderr if sys.stderr.isatty() and not options.json else None)
    with prepared(progress) as made:
        yield made.resource, made.model
