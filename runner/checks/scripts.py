"""Check every script: its two files, its name, its code, and the schema of its form."""

import ast
import re
from collections.abc import Iterator
from keyword import iskeyword

from runner.checks.documents import Code, Document, Documents, inline_file
from runner.checks.file_shapes import SCRIPT
from runner.checks.inline_code import inline_codes
from runner.checks.problems import Problem
from runner.checks.shapes import Finding
from runner.checks.signatures import function_of, main_of, signature_of

PATH = re.compile(r"[ufg](/[\w-]+){2,}", re.ASCII)


def script_problems(documents: Documents) -> Iterator[Problem]:
    for code in documents.codes.values():
        yield from _file_problems(documents, code)
    for code in [*documents.codes.values(), *inline_codes(documents)]:
        for sentence in _code_sentences(code):
            yield Problem(code.file, code.key or "code", sentence)
    for script in documents.scripts.values():
        for key, sentence in _metadata_findings(documents, script):
            yield Problem(script.file, key, sentence)


def _file_problems(documents: Documents, code: Code) -> Iterator[Problem]:
    if code.path not in documents.scripts:
        name = f"{code.path.rpartition('/')[2]}.script.yaml"
        yield Problem(code.file, "", f"has no {name} beside it; Windmill would not deploy it")
    if code.path in documents.flows:
        sentence = "has the path of a flow; the local runner tells them apart by path: rename one"
        yield Problem(code.file, "", sentence)
    if not PATH.fullmatch(code.path):
        sentence = "is not a path that Windmill takes; write f/folder/name in letters, digits, _"
        yield Problem(code.file, "", sentence)
    elif code.language == "python3" and not _is_importable(code.path):
        yield Problem(
            code.file, "", "its path is not made of Python names, so nothing can import it"
        )


def _is_importable(path: str) -> bool:
    return all(part.isidentifier() and not iskeyword(part) for part in path.split("/"))


def _code_sentences(code: Code) -> Iterator[str]:
    if code.language != "python3":
        return
    try:
        tree = ast.parse(code.text)
        compile(tree, code.file, "exec")
    except SyntaxError as error:
        yield f"does not compile: {error.msg} (line {error.lineno})"
        return
    except ValueError as error:
        yield f"does not compile: {error}"
        return
    main = main_of(tree)
    if isinstance(main, ast.AsyncFunctionDef):
        yield "Windmill does not await an async main; use asyncio.run inside a plain one"
    if main and (main.args.kwonlyargs or main.args.posonlyargs):
        yield "Windmill does not read parameters of main after * or before /; make them plain"


def _metadata_findings(documents: Documents, script: Document) -> Iterator[Finding]:
    yield from SCRIPT.findings(script.content, "")
    lock = inline_file(script.content.get("lock"))
    if lock and not (documents.root / lock).is_file():
        yield "lock", f"the file {lock} is missing; write lock: '' or create it"
    code = documents.codes.get(script.path)
    if code is None:
        yield "", "has no code beside it (.py or .pg.sql); Windmill would not deploy it"
    else:
        yield from _preprocessor_findings(script, code)
        yield from _schema_findings(script, code)


def _preprocessor_findings(script: Document, code: Code) -> Iterator[Finding]:
    says = bool(script.content.get("has_preprocessor"))
    if code.language == "python3" and says != _has_preprocessor(code.text):
        there = "lacks" if says else "has"
        yield "has_preprocessor", f"is {str(says).lower()}, but {code.file} {there} a preprocessor"


def _has_preprocessor(text: str) -> bool:
    try:
        return function_of(ast.parse(text), "preprocessor") is not None
    except (SyntaxError, ValueError):
        return "def preprocessor(" in text


def _schema_findings(script: Document, code: Code) -> Iterator[Finding]:
    schema = script.content.get("schema")
    properties = set((schema.get("properties") or {}) if isinstance(schema, dict) else {})
    is_never_a_form = script.content.get("has_preprocessor") or script.content.get("kind") in (
        "failure",
        "preprocessor",
    )
    if not properties and is_never_a_form:
        return
    signature = signature_of(code.language, code.text)
    parameters = set(signature.parameters) if signature else set()
    for name in sorted(properties - parameters):
        yield f"schema.properties.{name}", f"{code.file} has no parameter '{name}'"
    for name in sorted(parameters - properties):
        yield "schema.properties", f"lacks '{name}', a parameter of {code.file}"
