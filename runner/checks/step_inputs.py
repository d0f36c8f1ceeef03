"""Check what a step runs: that it exists, and that its inputs are the parameters it has."""

import re
from collections.abc import Iterator

from runner.checks.documents import Code, Document, Documents
from runner.checks.inline_code import code_of, missing_file_findings
from runner.checks.shapes import Finding
from runner.checks.signatures import Signature, schema_signature, signature_of
from runner.checks.steps import Step

REFERENCE = re.compile(r"\$(res|var|jsonvar):")
SOUND_REFERENCE = re.compile(r"\$(res|var|jsonvar):[ufg](/[\w-]+){2,}")


def input_findings(documents: Documents, flow: Document, step: Step) -> Iterator[Finding]:
    yield from missing_file_findings(documents, flow, step)
    transforms_key = f"{step.key}.value.input_transforms"
    for name, transform in _transforms(step).items():
        if isinstance(transform, dict):
            yield from reference_findings(transform.get("value"), f"{transforms_key}.{name}.value")
    if step.type == "rawscript":
        code = code_of(documents, flow, step)
        if code:
            yield from _code_findings(step, code)
    elif step.type in ("script", "flow"):
        yield from _path_findings(documents, step)


def reference_findings(value: object, key: str) -> Iterator[Finding]:
    """`$res:` and `$var:` must be paths; what they name may live on the server alone."""
    if isinstance(value, str) and REFERENCE.match(value) and not SOUND_REFERENCE.fullmatch(value):
        yield key, f"'{value}' is not a path; write it like $res:f/folder/name"
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for name, item in items:
        yield from reference_findings(item, f"{key}.{name}")


def runnable_sentence(documents: Documents, path: object, is_flow: bool) -> str | None:
    """Why nothing can be run at the path, if so."""
    if is_flow:
        return None if path in documents.flows else f"there is no flow at {path}"
    code = documents.codes.get(path) if isinstance(path, str) else None
    if code is None:
        return f"there is no script at {path}"
    has_main = signature_of(code.language, code.text) is not None
    return None if has_main else f"{code.file} has no main to run"


def _path_findings(documents: Documents, step: Step) -> Iterator[Finding]:
    path = step.value.get("path")
    sentence = runnable_sentence(documents, path, step.type == "flow")
    if sentence:
        yield f"{step.key}.value.path", sentence
    elif step.type == "flow":
        signature = schema_signature(documents.flows[path].content.get("schema"))
        yield from _signature_findings(step, signature, path)
    else:
        yield from _code_findings(step, documents.codes[path])


def _code_findings(step: Step, code: Code) -> Iterator[Finding]:
    if step.id == "preprocessor" or step.module.get("pass_flow_input_directly"):
        return
    signature = signature_of(code.language, code.text)
    if signature:
        yield from _signature_findings(step, signature, code.path)
    elif code.key:
        yield f"{step.key}.value.content", "the code has no main to run, or does not compile"


def _signature_findings(step: Step, signature: Signature, path: str) -> Iterator[Finding]:
    key, given = f"{step.key}.value.input_transforms", set(_transforms(step))
    if not signature.takes_anything:
        for name in sorted(given - set(signature.parameters)):
            yield f"{key}.{name}", f"{path} has no parameter '{name}'"
    for name in signature.required:
        if name not in given:
            yield key, f"lacks '{name}', which {path} requires"


def _transforms(step: Step) -> dict:
    transforms = step.value.get("input_transforms")
    return transforms if isinstance(transforms, dict) else {}
