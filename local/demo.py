"""./chatmill demo: one WhatsApp message on its whole way, from the signed webhook to the reply."""

import argparse
import json
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass

from local import documents, installation
from local.demo_report import print_report
from local.errors import CannotRun
from local.facts import read_facts, recent_alerts
from local.migrations import connection_to
from local.places import STATE, only_instance, private_folder
from local.progress import Progress
from local.running import Options, Prepared, Running, prepared, running
from local.whatsapp_webhook import Answered, phone_number_id_in, post_signed, text_message

QUESTION = "I want my money back, how long will it take?"
CONTACT = "351912345678"
LONGEST_WAIT_SECONDS = 120


@dataclass(frozen=True)
class Given:
    """What the command line asked for; files are read before anything is started."""

    question: str
    document: dict[str, bytes]
    payload: bytes | None


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    given = Given(
        question=options.message or QUESTION,
        document=documents.read_document(options.document) if options.document else {},
        payload=documents.read_bytes(options.payload) if options.payload else None,
    )
    started = time.perf_counter()
    progress = Progress(None if options.json else sys.stdout)
    with ExitStack() as stack:
        stack.enter_context(only_instance(private_folder(STATE), "demo"))
        ready = stack.enter_context(prepared(progress, is_demo=True))
        facts = answer_one(ready, given, progress)
    facts["seconds"] = round(time.perf_counter() - started, 3)
    if options.json:
        print(json.dumps(facts, indent=2, default=str, ensure_ascii=False))
    else:
        print_report(facts)
    return 0 if facts["graph_api_calls"] else 1


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill demo",
        description="Post one signed WhatsApp webhook to a local server and show what happens.",
    )
    parser.add_argument("--message", metavar="TEXT", help="the contact's question")
    parser.add_argument(
        "--document", metavar="FILE", help="answer from this text, Markdown, PDF, DOCX or HTML file"
    )
    parser.add_argument(
        "--payload", metavar="FILE", help="post these bytes, signed, instead of a question"
    )
    parser.add_argument("--json", action="store_true", help="the same facts as JSON")
    options = parser.parse_args(arguments)
    if options.payload and options.message:
        parser.error("give --message or --payload, not both")
    return options


def answer_one(ready: Prepared, given: Given, progress: Progress) -> dict:
    organization_id = organization_for(ready, given, progress)
    if given.payload:
        give_number_of(given.payload, ready.resource, organization_id)
    steps: list[dict] = []
    how = Options(listener=listener_to(steps))
    with running(ready, organization_id, progress, how) as local:
        account_id = local.channels["whatsapp"].account_id
        payload = given.payload or text_message(account_id, given.question, CONTACT)
        started = time.time()
        answered = post_signed(local.route("whatsapp"), payload, ready.secrets.app_secret)
        wait_for_reply(local)
        return {
            "phases": progress.phases,
            "question": None if given.payload else given.question,
            "webhook": {"route": f"POST {local.route('whatsapp')}", **shown(answered)},
            "steps": steps,
            **read_facts(ready.resource, organization_id),
            "graph_api_calls": [described(call, started) for call in local.graph.accepted],
            "alerts": []
            if local.graph.accepted
            else recent_alerts(ready.resource, organization_id),
        }


def organization_for(ready: Prepared, given: Given, progress: Progress) -> str:
    if not given.document:
        return installation.DEMO_ORGANIZATION
    organization_id = installation.make_organization(ready.resource)
    with progress.phase(f"Read {next(iter(given.document))}"):
        documents.add_documents(ready.resource, ready.model, organization_id, given.document)
    return organization_id


def give_number_of(payload: bytes, resource: dict, organization_id: str) -> None:
    """A recorded webhook names its own number: the demo's channel answers for it this time."""
    number = phone_number_id_in(payload)
    if number is None:
        return
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(
            "update channels set account_id = %s where organization_id = %s and kind = 'whatsapp'",
            [number, organization_id],
        )
        connection.commit()


def listener_to(steps: list[dict]):
    def listen(event) -> None:
        if event.kind == "finished":
            steps.append(
                {
                    "path": event.flow_path,
                    "step": event.step_id,
                    "summary": event.summary,
                    "succeeded": event.success,
                    "milliseconds": round(event.seconds * 1000, 1),
                    "result": event.result,
                }
            )

    return listen


def wait_for_reply(local: Running) -> None:
    if not local.engine.wait_idle(LONGEST_WAIT_SECONDS):
        raise CannotRun(f"no answer within {LONGEST_WAIT_SECONDS} s. Is the model reachable?")


def shown(answered: Answered) -> dict:
    milliseconds = round(answered.seconds * 1000, 1)
    return {"status": answered.status, "body": answered.body, "milliseconds": milliseconds}


def described(call, started: float) -> dict:
    return {
        "request": f"POST {call.path}",
        "body": call.body,
        "message_id": call.message_id,
        "milliseconds_after_webhook": round((call.at - started) * 1000, 1),
    }
