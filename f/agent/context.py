"""Everything that a model is told at the beginning of a turn, and what of it is whose word.

Only we and the organization's owner speak in the system's role. What contacts said, what is known
of them and what a summary holds is data, in the user's role.
"""

import hashlib
import json
from dataclasses import dataclass, field

from f.agent.completion import CHARACTERS_PER_TOKEN
from f.agent.prompts import KNOWN, SUMMARY
from f.shared.errors import AgentStuck, UpstreamError

# Of the lines told word for word; what is older is told by the summary.
HISTORY_TOKENS = 2500
# Fewer older lines than this are not worth a call.
LINES_TO_SUMMARIZE = 12
MAX_SUMMARY_CHARACTERS = 3000
NOTHING = "-"


@dataclass(frozen=True)
class Line:
    message_id: int
    role: str  # user | assistant
    text: str


@dataclass(frozen=True)
class Known:
    """`lines`: the conversation so far, after what `summary` tells of. `notes`: what teammates did
    who were in charge. `files`: of the contact's documents, as contact_files.told() has it."""

    lines: list[Line] = field(default_factory=list)
    summary: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    files: list[dict] = field(default_factory=list)


@dataclass(frozen=True)
class Summary:
    last_message_id: int
    text: str


def window(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """The older lines, and the newest ones that are told word for word."""
    room, first = HISTORY_TOKENS * CHARACTERS_PER_TOKEN, len(lines)
    while first > 0 and (room := room - len(lines[first - 1].text)) >= 0:
        first -= 1
    return lines[:first], lines[first:]


def new_summary(model, known: Known) -> Summary | None:
    """Of what came before the window, one call for many turns; None: none is needed, or none
    could be had, and the older lines are left out this time."""
    older, _ = window(known.lines)
    if len(older) < LINES_TO_SUMMARIZE:
        return None
    told = {"summary": known.summary, "lines": [f"{one.role}: {one.text}" for one in older]}
    messages = [
        {"role": "system", "content": SUMMARY},
        {"role": "user", "content": json.dumps(told, ensure_ascii=False)},
    ]
    try:
        text = model.complete(messages, []).text.strip()[:MAX_SUMMARY_CHARACTERS]
    except (UpstreamError, AgentStuck):
        return None
    return Summary(older[-1].message_id, text) if text not in ("", NOTHING) else None


def messages_of(system: str, known: Known, summary: Summary | None, question: str) -> list[dict]:
    _, newest = window(known.lines)
    data = {
        "summary_of_earlier": summary.text if summary else known.summary,
        "customer": known.facts,
        "notes_of_colleagues": known.notes,
        "files_of_customer": known.files,
    }
    told = {name: one for name, one in data.items() if one}
    background = KNOWN.format(data=json.dumps(told, ensure_ascii=False)) if told else ""
    return [
        {"role": "system", "content": system},
        *([{"role": "user", "content": background}] if background else []),
        *({"role": one.role, "content": one.text} for one in newest),
        {"role": "user", "content": question},
    ]


def prompt_text(messages: list[dict], schemas: list[dict]) -> str:
    told = {"messages": messages, "tools": schemas}
    return json.dumps(told, ensure_ascii=False, default=repr)  # pictures are named, not kept


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
