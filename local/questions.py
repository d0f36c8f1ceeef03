"""./chatmill questions: what contacts asked in vain, and answers that wait for approval."""

import argparse
import json
import re

import f.knowledge.questions as questions
from f.knowledge import learn_from_turns
from f.shared.errors import InputRefused
from local import question_facts, sources
from local.errors import CannotRun
from local.migrations import connection_to
from local.terminal import heading, paint, wrapped
from local.verbs import give_acts

SHORT_ID = 8
# What one contact was told is not for the next.
PERSONAL = re.compile(r"\S@\S|\d[\d ]{5,}")


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    return options.act(options)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill questions",
        description="What contacts asked and no document answers; answers to approve.",
    )
    acts = parser.add_subparsers(dest="verb", metavar="list | approve | reject | dismiss | group")
    listed = acts.add_parser("list", help="open questions, the most asked first")
    approved = acts.add_parser("approve", help="make the proposed answer, or yours, a source")
    rejected = acts.add_parser("reject", help="never propose this answer again")
    dismissed = acts.add_parser("dismiss", help="no document is to answer this")
    grouped = acts.add_parser("group", help="look at new turns now, not in a minute")
    for verb in (approved, rejected, dismissed):
        verb.add_argument("which", metavar="ID", help="as the list shows it")
    approved.add_argument("--answer", metavar="TEXT", help="instead of the proposed one")
    approved.add_argument("--question", metavar="TEXT", help="instead of the contact's words")
    for lists in (parser, listed):
        lists.add_argument(
            "--all",
            action="store_true",
            default=argparse.SUPPRESS,
            help="answered and dismissed ones too",
        )
    parser.set_defaults(all=False)
    verbs = {
        listed: show,
        approved: approve,
        rejected: reject,
        dismissed: dismiss,
        grouped: group,
    }
    give_acts(parser, show, verbs)
    return parser.parse_args(arguments)


def show(options: argparse.Namespace) -> int:
    with sources.database() as resource:
        found = question_facts.groups(resource, options.organization, options.all)
        new = question_facts.not_grouped(resource, options.organization)
    if options.json:
        told = {"groups": found, "not_grouped": new}
        print(json.dumps(told, indent=2, default=str, ensure_ascii=False))
    else:
        print_groups(found, new)
    return 0


def approve(options: argparse.Namespace) -> int:
    with sources.ready(options) as (resource, model):
        found = question_facts.find(resource, options.organization, options.which)
        with connection_to(resource) as connection:
            draft = locked_draft(connection, options.organization, found)
            answer = options.answer or (draft and draft.answer)
            if not answer or not answer.strip():
                raise CannotRun("no answer is proposed for it: give one with --answer TEXT.")
            question = options.question or (draft and draft.question) or found["wordings"][0]
            try:
                source_id = questions.approve(
                    connection, options.organization, found["id"], question, answer, draft
                )
            except InputRefused as refusal:
                raise CannotRun(f"no source was made ({refusal.code}): {refusal}") from None
            connection.commit()
        return sources.read_all(resource, model, options, [source_id])


def reject(options: argparse.Namespace) -> int:
    with sources.database() as resource:
        found = question_facts.find(resource, options.organization, options.which)
        with connection_to(resource) as connection:
            draft = locked_draft(connection, options.organization, found)
            if draft is None:
                raise CannotRun("no answer is proposed for it. See ./chatmill questions.")
            questions.reject(connection, draft)
            connection.commit()
    return told(options, {"rejected": found["id"]}, "It is not proposed again.")


def dismiss(options: argparse.Namespace) -> int:
    with sources.database() as resource:
        found = question_facts.find(resource, options.organization, options.which)
        with connection_to(resource) as connection:
            draft = locked_draft(connection, options.organization, found)
            if draft:
                questions.reject(connection, draft)
            questions.close(connection, options.organization, found["id"], "dismissed")
            connection.commit()
    return told(options, {"dismissed": found["id"]}, "It is not listed any more.")


def locked_draft(connection, organization_id: str, found: dict) -> questions.Draft | None:
    """Raises CannotRun when somebody else decided after the question was looked up."""
    if questions.lock_group(connection, organization_id, found["id"]) != found["state"]:
        raise CannotRun(
            "somebody else decided on it just now, nothing was changed:"
            " see ./chatmill questions list --all."
        )
    return questions.waiting_draft(connection, organization_id, found["id"])


def group(options: argparse.Namespace) -> int:
    with sources.ready(options) as (resource, model):
        outcome = learn_from_turns.main(resource, model)
    sentence = "{questions_grouped} questions grouped, {answers_drafted} answers proposed."
    return told(options, outcome, sentence.format(**outcome))


def told(options: argparse.Namespace, outcome: dict, sentence: str) -> int:
    print(json.dumps(outcome) if options.json else sentence)
    return 0


def print_groups(found: list[dict], new: int) -> None:
    heading("Questions without an answer" if found else "No question waits for an answer")
    for one in found:
        print_group(one)
    if new:
        print(f"\n  {new} more were asked just now: ./chatmill questions group")


def print_group(one: dict) -> None:
    state = "" if one["state"] == "open" else f", {one['state']}"
    times = "once" if one["times"] == 1 else f"{one['times']} times"
    print(f"\n  {one['id'][:SHORT_ID]}  {times}, last {one['last_asked_at']:%d %b %H:%M}{state}")
    for place, wording in enumerate(dict.fromkeys(one["wordings"])):
        line = wrapped(" ".join(wording.split()), indent="    ")
        print(paint(line, "dim") if place else line)
    if one["proposed_answer"]:
        print("    A teammate answered:")
        print(wrapped(one["proposed_answer"], indent="      "))
        if PERSONAL.search(one["proposed_answer"]):
            print(paint("    It holds an address or a number: is it for everybody?", "red"))
        print(paint(f"    ./chatmill questions approve {one['id'][:SHORT_ID]}, or reject", "dim"))
