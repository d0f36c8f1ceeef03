"""./chatmill sources review: what a held version changes; then let it be searched, or forget it."""

import argparse
import json
import shlex
from pathlib import Path

import f.knowledge.held_versions as held_versions
from f.knowledge import decide_version
from f.knowledge.held_versions import HeldVersion
from local import installation, source_facts
from local.errors import CannotRun
from local.evals import read_cases
from local.facts import rows
from local.migrations import connection_to
from local.places import ROOT, STATE
from local.rehearsal import Stage
from local.secrets_file import load_secrets
from local.source_impact import Change, changes
from local.source_report import counted
from local.terminal import heading, paint, shortened, wrapped

DEMO_CASES = ROOT / "db" / "demo" / "evals.yaml"
CHATBOTS = "select id::text from chatbots where organization_id = %s order by created_at"
SHOWN_CHARACTERS = 240
DONE = {"ready": "It is searched from now on.", "dropped": "It is forgotten."}


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("which", metavar="SOURCE", help="id, name or address")
    parser.add_argument("--questions", type=Path, metavar="FILE", help="as for ./chatmill eval")
    parser.add_argument("--chatbot", metavar="ID", help="who is asked; else the first one")
    decision = parser.add_mutually_exclusive_group()
    decision.add_argument("--show", action="store_true", help="let it be searched")
    decision.add_argument("--drop", action="store_true", help="forget it")


def review(options: argparse.Namespace, resource: dict, model: dict) -> int:
    source_id = source_facts.find(resource, options.organization, options.which)
    if options.show or options.drop:
        return decide(options, resource, model, source_id)
    cases = golden_questions(options)
    with connection_to(resource) as connection:
        held = held_versions.find(connection, source_id)
    if held is None:
        raise nothing_held(options)
    chatbot_id = options.chatbot or first_chatbot(resource, options.organization)
    stage = Stage(resource, model, load_secrets(STATE).sealing_key, chatbot_id)
    found = changes(stage, held, cases)
    if options.json:
        told = {"version": vars(held), "questions": len(cases)}
        told["changes"] = [one.as_json() for one in found]
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print_impact(options.which, held, len(cases), found)
    return 1 if any(one.is_worse for one in found) else 0


def decide(options: argparse.Namespace, resource: dict, model: dict, source_id: str) -> int:
    state = decide_version.main(resource, model, source_id, options.show)["state"]
    if state == "nothing_held":
        raise nothing_held(options)
    print(json.dumps({"state": state}) if options.json else DONE[state])
    return 0


def nothing_held(options: argparse.Namespace) -> CannotRun:
    return CannotRun(
        f"no version of {options.which} waits for review. Versions wait from"
        f" ./chatmill sources hold {shlex.quote(options.which)} on."
    )


def golden_questions(options: argparse.Namespace) -> list[dict]:
    if options.questions:
        return read_cases(options.questions)
    if options.organization == installation.DEMO_ORGANIZATION:
        return read_cases(DEMO_CASES)
    raise CannotRun("name the golden questions of the organization with --questions FILE.")


def first_chatbot(resource: dict, organization_id: str) -> str:
    with connection_to(resource) as connection:
        found = rows(connection, CHATBOTS, [organization_id])
    if not found:
        raise CannotRun(f"organization {organization_id} has no chatbot to ask.")
    return found[0]["id"]


def print_impact(named: str, held: HeldVersion, questions: int, found: list[Change]) -> None:
    heading(shortened(f"{held.title}: a new version waits", 76))
    until_now = counted(held.searched_chunk_count, "chunk")
    print(f"  {until_now} until now, {held.chunk_count:,} in this version")
    seen = [one for one in found if one.is_seen]
    for label, count in (
        ("golden questions", questions),
        ("find other passages", len(found)),
        ("are answered otherwise", len(seen)),
        ("get worse", sum(one.is_worse for one in found)),
    ):
        print(f"  {label:<24} {count:>4}")
    for one in seen:
        print_change(one)
    print(f"\n  ./chatmill sources review {shlex.quote(named)} --show, or --drop")


def print_change(change: Change) -> None:
    print(f"\n{wrapped(change.question)}")
    for label, said in (("until now", change.before), ("then", change.after)):
        source = f" [{'; '.join(said.cites)}]" if said.cites else ""
        print(f"    {label}")
        print(wrapped(f"{shortened(said.text, SHOWN_CHARACTERS)}{source}", indent="      "))
    if change.is_worse:
        print(paint(wrapped(f"gets worse: {change.after.problem}", indent="    "), "red"))
    elif change.before.problem and not change.after.problem:
        print(paint("    gets better", "green"))
