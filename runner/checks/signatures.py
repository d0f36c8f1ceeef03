"""The parameters of a script's main, as Windmill reads them from Python or SQL text."""

import ast
import re
from dataclasses import dataclass

SQL_PARAMETER = re.compile(r"^--\s*\$(\d+)\s+(\w+)(?:\s*\([^)]*\))?\s*(=.*)?$", re.MULTILINE)
SQL_DATABASE = re.compile(r"^--\s*database\s+\S+", re.MULTILINE)


@dataclass(frozen=True)
class Signature:
    parameters: tuple[str, ...]
    required: tuple[str, ...]
    takes_anything: bool = False


def main_of(tree: ast.Module) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    return function_of(tree, "main")


def function_of(tree: ast.Module, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return next((node for node in tree.body if isinstance(node, kinds) and node.name == name), None)


def python_signature(text: str) -> Signature | None:
    """None where there is no main, or no Python that compiles."""
    try:
        main = main_of(ast.parse(text))
    except (SyntaxError, ValueError):
        return None
    if main is None:
        return None
    names = tuple(argument.arg for argument in (*main.args.posonlyargs, *main.args.args))
    required = names[: len(names) - len(main.args.defaults)]
    return Signature(names, required, main.args.kwarg is not None)


def sql_signature(text: str) -> Signature:
    """Without a `-- database` line the connection is the parameter `database`."""
    found = [(match[2], bool(match[3])) for match in SQL_PARAMETER.finditer(text)]
    database = () if SQL_DATABASE.search(text) else ("database",)
    names = tuple(dict.fromkeys(name for name, _ in found))
    required = tuple(dict.fromkeys(name for name, has_default in found if not has_default))
    return Signature(database + names, database + required)


def signature_of(language: str, text: str) -> Signature | None:
    return python_signature(text) if language == "python3" else sql_signature(text)


def schema_signature(schema: object) -> Signature:
    """A flow's inputs are its schema's properties."""
    schema = schema if isinstance(schema, dict) else {}
    properties = schema.get("properties") or {}
    required = [name for name in schema.get("required") or [] if not _has_default(properties, name)]
    return Signature(tuple(properties), tuple(required))


def _has_default(properties: dict, name: str) -> bool:
    description = properties.get(name)
    return isinstance(description, dict) and description.get("default") is not None
