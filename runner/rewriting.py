"""Windmill's textual rules that turn a flow expression into the body of an async function."""

import re

# The regular expression is Windmill's: results['a'] in single quotes is not awaited, so it is null.
RESULT_ACCESS = re.compile(r'((?:results|flow_env)\??(?:\.[a-zA-Z_0-9]+|\[".*?"\]))')

STATEMENT_STARTS = tuple(
    "const |let |var |if |if(|for |for(|while |while(|switch |switch(|try |try{|throw |"
    "function |class |async |await |return |return;".split("|")
)


def function_body(expr: str) -> str:
    awaited = expr
    for name in ("variable", "resource"):
        awaited = _await_calls(awaited, name)
    awaited = RESULT_ACCESS.sub(r"(await \1)", awaited)
    return f"return {awaited};" if needs_return(awaited) else awaited


def needs_return(code: str) -> bool:
    trimmed = code.strip()
    if trimmed == "return" or trimmed.startswith(STATEMENT_STARTS):
        return False
    return not _has_semicolon_outside_strings(trimmed)


def _await_calls(expr: str, name: str) -> str:
    before, *calls = expr.split(f"{name}(")
    return before + "".join(f"(await {name}({_close_bracket(rest)}" for rest in calls)


def _close_bracket(rest: str) -> str:
    """Add one bracket after the call's own closing one, or at the end where there is none."""
    level = 1
    for index, char in enumerate(rest):
        level += {"(": 1, ")": -1}.get(char, 0)
        if level == 0:
            return f"{rest[:index]}){rest[index:]}"
    return f"{rest})"


def _has_semicolon_outside_strings(code: str) -> bool:
    quote, previous = "", ""
    for char in code:
        if quote:
            quote = "" if char == quote and previous != "\\" else quote
        elif char in "'\"`" and previous != "\\":
            quote = char
        elif char == ";":
            return True
        previous = char
    return False
