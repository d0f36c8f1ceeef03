"""Check every schedule: its keys, its cron and time zone, and what it starts."""

from collections.abc import Iterator

from runner.checks.documents import Document, Documents
from runner.checks.file_shapes import SCHEDULE
from runner.checks.problems import Problem
from runner.checks.shapes import Finding
from runner.checks.signatures import Signature, schema_signature, signature_of
from runner.checks.step_inputs import reference_findings, runnable_sentence
from runner.cron import InvalidCron, InvalidTimeZone, parse_cron


def schedule_problems(documents: Documents) -> Iterator[Problem]:
    for schedule in documents.of_kind("schedule"):
        for key, sentence in _findings(documents, schedule):
            yield Problem(schedule.file, key, sentence)


def _findings(documents: Documents, schedule: Document) -> Iterator[Finding]:
    content = schedule.content
    yield from SCHEDULE.findings(content, "")
    yield from _cron_findings(content)
    yield from reference_findings(content.get("args"), "args")
    path, is_flow = content.get("script_path"), bool(content.get("is_flow"))
    sentence = runnable_sentence(documents, path, is_flow)
    if sentence:
        yield "script_path", sentence
    else:
        yield from _argument_findings(content, _signature(documents, path, is_flow))


def _cron_findings(content: dict) -> Iterator[Finding]:
    try:
        parse_cron(str(content.get("schedule")), str(content.get("timezone")))
    except InvalidTimeZone as error:
        yield "timezone", str(error)
    except InvalidCron as error:
        yield "schedule", str(error)


def _argument_findings(content: dict, signature: Signature) -> Iterator[Finding]:
    given = content.get("args") if isinstance(content.get("args"), dict) else {}
    for name in given:
        if name not in signature.parameters and not signature.takes_anything:
            yield f"args.{name}", f"{content['script_path']} has no parameter '{name}'"


def _signature(documents: Documents, path: str, is_flow: bool) -> Signature:
    if is_flow:
        return schema_signature(documents.flows[path].content.get("schema"))
    code = documents.codes[path]
    return signature_of(code.language, code.text)
