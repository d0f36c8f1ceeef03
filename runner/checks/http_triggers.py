"""Check every HTTP trigger: its keys, its route, whom it lets in, and what it runs."""

import re
from collections.abc import Iterator

from runner.checks.documents import Document, Documents
from runner.checks.file_shapes import HTTP_TRIGGER
from runner.checks.problems import Problem
from runner.checks.shapes import Finding
from runner.checks.step_inputs import runnable_sentence

# Segments of text or `:name`, and a `*name` at the end only.
ROUTE_PATH = re.compile(r"((:\w+|[\w.~-]+)(/|$))*(\*\w+)?(?<!/)", re.ASCII)
NEEDS_RESOURCE = ("api_key", "basic_http", "signature")
RESOURCE_PATH = re.compile(r"[ufg](/[\w-]+){2,}", re.ASCII)


def http_trigger_problems(documents: Documents) -> Iterator[Problem]:
    routes: dict[tuple, str] = {}
    for trigger in documents.of_kind("http_trigger"):
        for key, sentence in _findings(documents, trigger):
            yield Problem(trigger.file, key, sentence)
        taken_by = routes.setdefault(_route(trigger), trigger.file)
        if taken_by != trigger.file:
            yield Problem(trigger.file, "route_path", f"is already the route of {taken_by}")


def _findings(documents: Documents, trigger: Document) -> Iterator[Finding]:
    content = trigger.content
    yield from HTTP_TRIGGER.findings(content, "")
    if content.get("is_static_website"):
        yield "is_static_website", "the local runner serves no static websites; set it to false"
    yield from _route_findings(content.get("route_path"))
    yield from _authentication_findings(content)
    sentence = runnable_sentence(
        documents, content.get("script_path"), bool(content.get("is_flow"))
    )
    if sentence:
        yield "script_path", sentence


def _route_findings(route_path: object) -> Iterator[Finding]:
    if not isinstance(route_path, str):
        return
    names = re.findall(r"[:*](\w+)", route_path)
    if route_path.startswith("/"):
        yield "route_path", "begins with a slash; leave it away"
    elif not route_path or not ROUTE_PATH.fullmatch(route_path):
        yield (
            "route_path",
            f"'{route_path}' is not a route: write words, :name, and *name at the end",
        )
    elif len(names) != len(set(names)) or not all(name.isidentifier() for name in names):
        yield "route_path", f"the parameters of '{route_path}' need names that differ"


def _authentication_findings(content: dict) -> Iterator[Finding]:
    method = content.get("authentication_method")
    path = content.get("authentication_resource_path")
    if method in NEEDS_RESOURCE and not RESOURCE_PATH.fullmatch(str(path or "")):
        yield "authentication_resource_path", f"must be a resource's path: {method} needs one"
    if method == "custom_script" and content.get("raw_string") is not True:
        yield "raw_string", "must be true: the script verifies the body as it was sent"


def _route(trigger: Document) -> tuple:
    content = trigger.content
    shape = re.sub(r"([:*])\w+", r"\1", str(content.get("route_path")))
    return content.get("http_method"), bool(content.get("workspaced_route")), shape
