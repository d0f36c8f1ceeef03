"""The code of steps that is written inside a flow or, by `!inline`, in a file beside it."""

from collections.abc import Iterator
from pathlib import Path

from runner.checks.documents import CODE_SUFFIXES, Code, Document, Documents, inline_file
from runner.checks.shapes import Finding
from runner.checks.steps import Step, steps_of


def inline_codes(documents: Documents) -> Iterator[Code]:
    for flow in documents.flows.values():
        value = flow.content.get("value")
        for step in steps_of(value) if isinstance(value, dict) else ():
            code = code_of(documents, flow, step)
            if code:
                yield code


def code_of(documents: Documents, flow: Document, step: Step) -> Code | None:
    """None where the step has no code of its own or its file is missing."""
    content, language = step.value.get("content"), step.value.get("language")
    has_code = step.type == "rawscript" and isinstance(content, str)
    if not has_code or language not in CODE_SUFFIXES.values():
        return None
    name = inline_file(content)
    if name is None:
        return Code(flow.path, flow.file, language, content, f"{step.key}.value.content")
    file = _folder(documents, flow) / name
    if not file.is_file():
        return None
    shown = file.relative_to(documents.root).as_posix()
    return Code(flow.path, shown, language, file.read_text(encoding="utf-8"), "code")


def missing_file_findings(documents: Documents, flow: Document, step: Step) -> Iterator[Finding]:
    for name in ("content", "lock"):
        file = inline_file(step.value.get(name))
        if file and not (_folder(documents, flow) / file).is_file():
            yield f"{step.key}.value.{name}", f"the file {file} is not in the flow's folder"


def _folder(documents: Documents, flow: Document) -> Path:
    return (documents.root / flow.file).parent
