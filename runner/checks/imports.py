"""Check what Python code imports: that Windmill would see it, find it and lock it."""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from runner.checks.documents import Code, Documents
from runner.checks.inline_code import inline_codes
from runner.checks.problems import Problem
from runner.checks.signatures import main_of

REQUIREMENT_FILES = ("requirements.txt", "dependencies/requirements.in")
REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)")
# In a script: `# extra_requirements:` and the lines below it, or `import x  # pin: y==1`.
OWN_REQUIREMENT = re.compile(r"#\s*(?:(?:re)?pin:\s*)?([A-Za-z0-9][\w.-]*)\s*[=<>~!]=")
SHORTEST_MODULE = 3


@dataclass(frozen=True)
class Import:
    line: int
    module: str
    level: int
    is_at_the_top: bool


def import_problems(documents: Documents) -> Iterator[Problem]:
    requirements = _requirements(documents.root)
    for code in [*documents.codes.values(), *inline_codes(documents)]:
        if code.language == "python3":
            for each in _imports(code.text):
                for sentence in _sentences(documents, code, each, requirements):
                    yield Problem(code.file, _key(code, each.line), sentence)


def _key(code: Code, line: int) -> str:
    is_in_yaml = code.key and code.file.endswith(".yaml")
    return f"{code.key} line {line}" if is_in_yaml else f"line {line}"


def _sentences(
    documents: Documents, code: Code, each: Import, requirements: set[str] | None
) -> Iterator[str]:
    package = each.module.partition(".")[0]
    is_of_the_workspace = package == "f" or each.level > 0
    if package in sys.stdlib_module_names and not is_of_the_workspace:
        return
    if not each.is_at_the_top:
        yield f"Windmill does not see this import of {each.module}; move it to the file's top"
    if is_of_the_workspace:
        yield from _workspace_sentences(documents, code, each)
    elif requirements is not None and not _is_required(package, requirements, code.text):
        yield f"{package} is not in {' or '.join(REQUIREMENT_FILES)}; add it with a pin"


def _imports(text: str) -> Iterator[Import]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    main = main_of(tree)
    end_of_imports = main.lineno if main else sys.maxsize
    for node in ast.walk(tree):
        is_at_the_top = node in tree.body and node.lineno < end_of_imports
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, 0, is_at_the_top)
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.lineno, node.module or "", node.level, is_at_the_top)


def _workspace_sentences(documents: Documents, code: Code, each: Import) -> Iterator[str]:
    if each.level and code.key:
        yield "a relative import does not work in a flow's own code; write from f. ..."
        return
    path = _absolute_path(code.path, each)
    dotted = path.replace("/", ".")
    # Of `from f.chat import turn`, Windmill's parser takes f.chat for the path of the script.
    if path.count("/") + 1 < SHORTEST_MODULE:
        yield f"Windmill does not follow this import; write from {dotted}.SCRIPT import NAME"
        return
    imported = documents.codes.get(path)
    if imported is None or imported.language != "python3":
        yield f"there is no {path}.py in the workspace"


def _absolute_path(path: str, each: Import) -> str:
    module = each.module.replace(".", "/")
    if not each.level:
        return module
    folders = path.split("/")[: -each.level]
    return "/".join([*folders, module])


def _requirements(root: Path) -> set[str] | None:
    """Names of the distributions that the workspace lists; None where it has no list."""
    files = [root / name for name in REQUIREMENT_FILES if (root / name).is_file()]
    if not files:
        return None
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return {found[1] for line in lines if (found := REQUIREMENT.match(line))}


def _is_required(package: str, requirements: set[str], text: str) -> bool:
    listed = requirements.union(OWN_REQUIREMENT.findall(text))
    return any(package in _import_names(name) for name in listed)


@cache
def _import_names(requirement: str) -> frozenset[str]:
    """What a distribution is imported as: python-docx is docx."""
    own_name = re.sub(r"[-.]", "_", requirement)
    try:
        installed = distribution(requirement)
    except PackageNotFoundError:
        return frozenset({own_name})
    top_level = (installed.read_text("top_level.txt") or "").split()
    modules = [file.parts[0].removesuffix(".py") for file in installed.files or ()]
    return frozenset({own_name, *top_level, *modules})
