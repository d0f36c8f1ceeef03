"""Every file of a workspace, read once for the checks: YAML as mappings, code as text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from runner.checks.problems import Problem
from runner.workspace import BUNDLES
from runner.yaml_files import read_yaml

KINDS = ("script", "http_trigger", "schedule", "resource", "variable", "resource-type")
CODE_SUFFIXES = {".py": "python3", ".pg.sql": "postgresql"}
OTHER_LANGUAGES = tuple(
    ".ts .js .go .sh .ps1 .sql .gql .php .rs .cs .nu .java .rb .r .playbook.yml".split()
)
TRIGGER_OF_OTHER_KIND = re.compile(r"\.(\w+_trigger)\.ya?ml$")
INLINE = "!inline "


@dataclass(frozen=True)
class Document:
    """One YAML file: `path` is what Windmill calls it, f/chat/load_turn."""

    kind: str
    path: str
    file: str
    content: dict


@dataclass(frozen=True)
class Code:
    """One script's code, or that of a step written inside a flow (then `key` says which)."""

    path: str
    file: str
    language: str
    text: str
    key: str = ""


@dataclass
class Documents:
    root: Path
    flows: dict[str, Document] = field(default_factory=dict)
    settings: list[Document] = field(default_factory=list)
    scripts: dict[str, Document] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Document]:
        return [document for document in self.settings if document.kind == kind]


def read_documents(root: Path) -> Documents:
    documents = Documents(root)
    for file in _files(root):
        _read(documents, file)
    return documents


def inline_file(text: object) -> str | None:
    """The file that `!inline x.py` names, else None."""
    is_inline = isinstance(text, str) and text.startswith(INLINE)
    return text.removeprefix(INLINE).strip() if is_inline else None


def _files(root: Path) -> Iterator[Path]:
    yield from sorted(root.glob("*.resource-type.yaml"))
    yield from sorted(file for file in (root / "f").rglob("*") if file.is_file())


def _read(documents: Documents, file: Path) -> None:
    relative = file.relative_to(documents.root)
    if bundle := next((part for part in relative.parts[:-1] if part.endswith(BUNDLES)), ""):
        if bundle.endswith("__flow") and file.name == "flow.yaml":
            _read_yaml(documents, file, "flow", "__flow/flow.yaml")
        return
    if "__pycache__" in relative.parts:
        return
    suffix = next((suffix for suffix in CODE_SUFFIXES if file.name.endswith(suffix)), None)
    kind = next((kind for kind in KINDS if file.name.endswith(f".{kind}.yaml")), None)
    if suffix:
        _read_code(documents, file, suffix)
    elif kind:
        _read_yaml(documents, file, kind, f".{kind}.yaml")
    elif file.name == "folder.meta.yaml":
        _read_yaml(documents, file, "folder", "/folder.meta.yaml")
    else:
        _refuse_what_cannot_run(documents, file)


def _read_code(documents: Documents, file: Path, suffix: str) -> None:
    name = file.relative_to(documents.root).as_posix()
    path = name.removesuffix(suffix)
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        documents.problems.append(Problem(name, "", "is not UTF-8 text; save it as UTF-8"))
        return
    documents.codes[path] = Code(path, name, CODE_SUFFIXES[suffix], text)


def _read_yaml(documents: Documents, file: Path, kind: str, suffix: str) -> None:
    name = file.relative_to(documents.root).as_posix()
    try:
        content = read_yaml(file)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        sentence = f"is not YAML that Windmill reads: {' '.join(str(error).split())}"
        documents.problems.append(Problem(name, "", sentence))
        return
    if not isinstance(content, dict):
        documents.problems.append(Problem(name, "", "must hold a mapping at its top"))
        return
    document = Document(kind, name.removesuffix(suffix), name, content)
    if kind == "flow":
        documents.flows[document.path] = document
    elif kind == "script":
        documents.scripts[document.path] = document
    else:
        documents.settings.append(document)


def _refuse_what_cannot_run(documents: Documents, file: Path) -> None:
    name = file.relative_to(documents.root).as_posix()
    trigger = TRIGGER_OF_OTHER_KIND.search(file.name)
    if trigger:
        sentence = f"{trigger[1]} is not supported by the local runner; http_trigger is"
    elif file.name.endswith(OTHER_LANGUAGES):
        sentence = "the local runner runs python3 (.py) and postgresql (.pg.sql) only"
    else:
        return
    documents.problems.append(Problem(name, "", sentence))
