"""./chatmill ask: one answer in the terminal, with its sources, on the way of a web message."""

import argparse
import json
import sys
import uuid
from contextlib import ExitStack
from time import monotonic

import urllib3

from local import documents, installation
from local.errors import CannotRun
from local.facts import read_facts, recent_alerts
from local.places import STATE, only_instance, private_folder
from local.progress import Progress
from local.running import Options, Prepared, Running, prepared, running
from local.terminal import paint, wrapped

LONGEST_WAIT_SECONDS = 120
MOST_SOURCES = 3


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    document = documents.read_document(options.document) if options.document else {}
    progress = Progress(sys.stderr if sys.stderr.isatty() else None)
    with ExitStack() as stack:
        # One's own document goes into the demo's database, which has one user at a time.
        if document:
            stack.enter_context(only_instance(private_folder(STATE), "demo"))
        ready = stack.enter_context(prepared(progress, is_demo=bool(document)))
        organization_id = organization_for(ready, document)
        local = stack.enter_context(
            running(ready, organization_id, progress, Options(with_graph=False))
        )
        facts = ask(local, options.question)
    return report(facts)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill ask", description="Answer one question, and name the sources."
    )
    parser.add_argument("question", type=question)
    parser.add_argument(
        "--document", metavar="FILE", help="answer from this text, Markdown, PDF, DOCX or HTML file"
    )
    return parser.parse_args(arguments)


def question(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the question is empty")
    return text


def organization_for(ready: Prepared, document: dict[str, bytes]) -> str:
    if not document:
        return installation.DEMO_ORGANIZATION
    organization_id = installation.make_organization(ready.resource)
    documents.add_documents(ready.resource, ready.model, organization_id, document)
    return organization_id


def ask(local: Running, question: str) -> dict:
    started = monotonic()
    chat = f"{local.server.base_url}/api/web/{local.channels['web'].url_key}/sessions"
    session = posted(chat, {}, {}, 201)
    message = {"client_message_id": str(uuid.uuid4()), "message": question}
    token = {"x-session-token": session["session_token"]}
    posted(f"{chat}/{session['session_id']}/messages", message, token, 202)
    if not local.engine.wait_idle(LONGEST_WAIT_SECONDS):
        raise CannotRun(f"no answer within {LONGEST_WAIT_SECONDS} s. Is the model reachable?")
    resource = local.prepared.resource
    facts = read_facts(resource, local.organization_id)
    seconds = monotonic() - started
    alerts = [] if facts["replies"] else recent_alerts(resource, local.organization_id, seconds)
    return {**facts, "alerts": alerts}


def posted(url: str, content: dict, headers: dict, wanted: int) -> dict:
    answer = urllib3.request(
        "POST", url, body=json.dumps(content), headers=headers, retries=False, timeout=60
    )
    if answer.status != wanted:
        raise CannotRun(f"the question was not accepted: {answer.data.decode()}")
    return answer.json()


def report(facts: dict) -> int:
    if not facts["replies"]:
        reasons = (
            "; ".join(alert["summary"] for alert in facts["alerts"]) or "no reason was recorded"
        )
        raise CannotRun(f"no answer was written: {reasons}.")
    for reply in facts["replies"]:
        print(wrapped(reply["body"], indent=""))
    for line in dict.fromkeys(map(source_line, facts["passages"][:MOST_SOURCES])):
        print(paint(line, "dim"))
    return 0


def source_line(passage: dict) -> str:
    return f"  {passage['score']:.4f}  {passage['heading_path'] or passage['title']}"
