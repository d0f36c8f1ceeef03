"""Read a PostgreSQL-language script: its statements, its arguments, its annotations."""

import json
import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<comment> --[^\n]* | /\*.*?\*/ )
    | (?P<quoted> [eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
                | (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag) )
    | (?P<word> [^\W\d][\w$]* )
    | \$(?P<parameter>\d+)(?:::(?P<cast>\w+(?:\[\])?))?
    | (?P<end> ; )
    """,
    re.VERBOSE | re.DOTALL,
)
_DECLARATION = re.compile(
    r"^--[ ]?\$(\d+)[ ](\w+)(?:[ ]\(([^)]*)\))?(?:[ ]?=[ ]?(.+?))?[ ]*\r?$", re.MULTILINE
)
_DATABASE = re.compile(r"^-- database (\S+) *\r?$", re.MULTILINE)
_COLLECTION = re.compile(r"^--\s*result_collection\s*=\s*(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Parameter:
    """`type` is the declared one, or else the cast where the parameter stands."""

    name: str
    type: str = ""
    is_typed: bool = False
    default: object = None


@dataclass(frozen=True)
class SqlScript:
    statements: list[str]
    parameters: dict[int, Parameter]
    database: str | None
    collection: str


def parse(content: str) -> SqlScript:
    database = _DATABASE.search(content)
    collection = _COLLECTION.search(content)
    return SqlScript(
        statements=_statements(content),
        parameters=_parameters(content),
        database=database and database[1],
        collection=collection[1] if collection else "last_statement_all_rows",
    )


def substitute(statement: str, literals: dict[int, str]) -> str:
    """Each $n outside quotes and comments becomes its literal; an unknown number stays."""

    def replace(match: re.Match) -> str:
        if match["parameter"] is None or int(match["parameter"]) not in literals:
            return match[0]
        cast = f"::{match['cast']}" if match["cast"] else ""
        return literals[int(match["parameter"])] + cast

    return _TOKEN.sub(replace, statement)


def _statements(content: str) -> list[str]:
    pieces, start, has_code = [], 0, False
    previous_end = 0
    for match in _TOKEN.finditer(content):
        has_code = has_code or bool(content[previous_end : match.start()].strip())
        previous_end = match.end()
        if match["end"]:
            pieces.append((content[start : match.start()], has_code))
            start, has_code = match.end(), False
        elif not match["comment"]:
            has_code = True
    has_code = has_code or bool(content[previous_end:].strip())
    pieces.append((content[start:], has_code))
    return [text for text, is_statement in pieces if is_statement]


def _parameters(content: str) -> dict[int, Parameter]:
    """Used parameters are text unless cast where they stand; declarations name and type them."""
    parameters = {}
    for match in _TOKEN.finditer(content):
        if match["parameter"]:
            cast = (match["cast"] or "").lower()
            parameters[int(match["parameter"])] = Parameter(f"${match['parameter']}", cast)
    for number, name, kind, default in _DECLARATION.findall(content):
        known = parameters.get(int(number), Parameter(name))
        declared = kind.strip().lower()
        kind = declared or known.type
        parameters[int(number)] = Parameter(name, kind, bool(declared), _default(default, kind))
    return parameters


def _default(text: str, kind: str):
    if not text or text.lower() == "null":
        return None
    if kind.startswith(("int", "bigint", "smallint", "serial", "oid", "bool")) or kind in _FLOATS:
        return json.loads(text.lower())
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1]
    return text


_FLOATS = ("real", "float4", "double", "float8", "numeric", "decimal", "double precision")
