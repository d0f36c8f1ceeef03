"""The tools of one turn: their schemas for the model, and its calls answered by name."""

import json
import time
from typing import Protocol

from f.shared.errors import ToolError, ToolRetry
from f.shared.text import storable


class Tool(Protocol):
    """Three facts and one verb: knowledge search, an MCP tool and a script look alike from here."""

    name: str
    description: str
    parameters: dict

    def run(self, arguments: dict) -> tuple[str, dict]:
        """What the model reads, and what the receipt keeps. Raises ToolError."""


class Toolbox:
    def __init__(self, tools: list[Tool]):
        self._tools = {tool.name: tool for tool in tools}

    @property
    def schemas(self) -> list[dict]:
        return [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                },
            }
            for tool in self._tools.values()
        ]

    def answer(self, call: dict) -> tuple[dict, dict]:
        """The message that answers the call, and the call's record for the receipt."""
        started = time.monotonic()
        name = call["function"]["name"]
        arguments: dict = {}
        try:
            arguments = storable(_parse(call["function"]["arguments"]))
            text, result = self._tool(name).run(arguments)
        except ToolError as error:
            text, result = f"error: {error}", {"error": str(error)}
        record = {
            "tool": name,
            "arguments": arguments,
            "result": result,
            "duration_ms": round((time.monotonic() - started) * 1000),
        }
        return {"role": "tool", "tool_call_id": call["id"], "content": text}, record

    def _tool(self, name: str) -> Tool:
        if name not in self._tools:
            raise ToolRetry(f"there is no tool {name!r}; there are: {', '.join(self._tools)}")
        return self._tools[name]


def _parse(arguments: str) -> dict:
    try:
        parsed = json.loads(arguments)
    except (ValueError, TypeError, RecursionError) as error:
        raise ToolRetry("the arguments are not JSON") from error
    if not isinstance(parsed, dict):
        raise ToolRetry("the arguments are not a JSON object")
    return parsed
