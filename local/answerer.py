"""Answer from found sentences only: ask the knowledge tool, then say the best of what it found.

What a document says is never followed, only quoted: there is nothing here that could obey it.
"""

import json
import re
from dataclasses import dataclass, field

from local.asked import (
    answers_of_tools,
    files_of_customer,
    question_of,
    said_by_user,
    small_talk,
    unknown_reply,
)
from local.best_sentences import best_sentences


@dataclass
class Said:
    """What the model says next: words, or calls of tools."""

    text: str | None = None
    tool_calls: list[dict] = field(default_factory=list)


def answer(embedder, messages: list[dict], tools: list[dict], tool_choice="auto") -> Said:
    question = question_of(messages)
    found = answers_of_tools(messages)
    if found:
        found += files_of_customer(messages)
        return Said(best_sentences(embedder, question, found) or unknown_reply(messages))
    is_forced = tool_choice == "required" or isinstance(tool_choice, dict)
    pleasantry = small_talk((said_by_user(messages) or [""])[-1])
    if pleasantry and not is_forced:
        return Said(pleasantry)
    tool = tool_to_call(tools, tool_choice)
    return Said(tool_calls=[call_of(tool, question)]) if tool else Said(unknown_reply(messages))


def tool_to_call(tools: list[dict], tool_choice) -> dict | None:
    functions = [tool["function"] for tool in tools if tool.get("type") == "function"]
    if tool_choice == "none":
        return None
    if isinstance(tool_choice, dict):
        wanted = tool_choice["function"]["name"]
        return next((one for one in functions if one["name"] == wanted), None)
    about_knowledge = [one for one in functions if re.search("knowledge|search", one["name"])]
    others = functions if tool_choice == "required" else []
    return next(iter(about_knowledge + others), None)


def call_of(function: dict, question: str) -> dict:
    schema = function.get("parameters") or {}
    texts = [
        name
        for name, property_ in (schema.get("properties") or {}).items()
        if property_.get("type") == "string"
    ]
    required = [name for name in schema.get("required") or [] if name in texts]
    name = next(iter(required + texts), None)
    return {"name": function["name"], "arguments": json.dumps({name: question} if name else {})}
