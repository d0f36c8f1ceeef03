"""The tools of one turn: their schemas for the model, and its calls answered by name."""

import json
import time
from typing import Protocol

from f.agent.citations import renumbered
from f.agent.effects import Effects
from f.agent.json_schema import problem_of_value
from f.shared.errors import (
    SignInNeeded,
    TokenRefused,
    ToolError,
    ToolFailed,
    ToolRetry,
    UpstreamError,
)
from f.shared.text import storable

MAX_ARGUMENT_CHARACTERS = 8000
MAX_RESULT_CHARACTERS = 16_000


class Tool(Protocol):
    """Three facts and one verb: knowledge search, an MCP tool and a script look alike from here.

    One that changes something has a `class_` too (own, write, money) and is run by the turn's
    effects, once: see f/agent/effects.py.
    """

    name: str
    description: str
    parameters: dict

    def run(self, arguments: dict) -> tuple[str, dict]:
        """What the model reads, and what the receipt keeps. Raises ToolError."""


class Toolbox:
    """`confirmations`: of f/agent/confirmations.py, where a tool may need a yes.
    `passages` and `passage_texts`: what was found in the documents in this turn, in order;
    `has_read_outside`: whether a system of the organization's told something;
    `sign_in_request`: what the contact reads instead of a reply, because a tool is for who signed
    in."""

    def __init__(
        self,
        tools: list[Tool],
        effects: Effects | None = None,
        confirmations=None,
    ):
        self._tools = {tool.name: tool for tool in tools}
        self._effects = effects
        self.confirmations = confirmations
        self.passages: list[dict] = []
        self.passage_texts: list[str] = []
        self.has_read_outside = False
        self.sign_in_request = ""

    @property
    def asks_contact(self) -> bool:
        return bool(self.sign_in_request) or bool(self.confirmations)

    @property
    def link_source(self) -> str:
        return "\n".join(self.passage_texts)

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

    def answer(self, call: dict, position: int, refusal: str | None = None) -> tuple[dict, dict]:
        """The message that answers the call, and the call's record for the receipt.

        `position`: the call's place in the turn. `refusal`: why it is not made.
        """
        started = time.monotonic()
        name = call["function"]["name"]
        arguments: dict = {}
        try:
            if refusal:
                raise ToolRetry(refusal)
            arguments = storable(_parse(call["function"]["arguments"]))
            text, result = self._run(name, arguments, position)
        except SignInNeeded as error:
            self.sign_in_request = error.request
            text, result = f"error: {error}", {"error": str(error)}
        except ToolError as error:
            text, result = f"error: {error}", {"error": str(error)}
        record = {
            "tool": name,
            "arguments": arguments,
            "result": result,
            "duration_ms": round((time.monotonic() - started) * 1000),
        }
        content = text[:MAX_RESULT_CHARACTERS]
        return {"role": "tool", "tool_call_id": call["id"], "content": content}, record

    def _run(self, name: str, arguments: dict, position: int) -> tuple[str, dict]:
        tool = self._tool(name)
        problem = problem_of_value(tool.parameters, arguments)
        if problem:
            raise ToolRetry(problem)
        # What is answered from its row asks for nothing: the contact may be signed out since.
        if hasattr(tool, "authorize") and not self._effects.answers(position):
            return self._run_for_contact(tool, arguments, position)
        return self._make(tool, arguments, position)

    def _run_for_contact(self, tool: Tool, arguments: dict, position: int) -> tuple[str, dict]:
        """No effect is open while a new token is got or asked for: that takes seconds, and of one
        that was left open in them nobody would know that nothing was done."""
        if self.sign_in_request:
            raise ToolFailed("the customer has to sign in first")
        tool.authorize()
        try:
            return self._make(tool, arguments, position)
        except TokenRefused:
            tool.authorize_again()
        try:
            return self._make(tool, arguments, position)
        except TokenRefused as error:
            raise tool.sign_in_asked() from error

    def _make(self, tool: Tool, arguments: dict, position: int) -> tuple[str, dict]:
        class_ = getattr(tool, "class_", "read")
        if class_ in ("write", "money"):
            self._effects.refuse_twin(tool, arguments, position)
            self.confirmations.check(tool.approved, arguments, position)
        if class_ != "read":
            return self._effects.once(tool, arguments, position)
        if getattr(tool, "is_outside", False):
            return self._read_outside(tool, arguments)
        text, result = tool.run(arguments)
        if getattr(tool, "links_are_known", False):
            text, texts = renumbered(text, len(self.passages) + 1)
            self.passages += result["passages"]
            self.passage_texts += texts
        return text, result

    def _read_outside(self, tool: Tool, arguments: dict) -> tuple[str, dict]:
        """A system that is away is no reason to leave the contact without an answer."""
        try:
            text, result = tool.run(arguments)
        except UpstreamError as error:
            raise ToolFailed("the system behind this tool did not answer") from error
        self.has_read_outside = True
        return text, result

    def _tool(self, name: str) -> Tool:
        if name not in self._tools:
            raise ToolRetry(f"there is no tool {name[:60]!r}; there are: {', '.join(self._tools)}")
        return self._tools[name]


def _parse(arguments: str) -> dict:
    if len(arguments) > MAX_ARGUMENT_CHARACTERS:
        raise ToolRetry(f"the arguments are longer than {MAX_ARGUMENT_CHARACTERS} characters")
    try:
        parsed = json.loads(arguments)
    except (ValueError, TypeError, RecursionError) as error:
        raise ToolRetry("the arguments are not JSON") from error
    if not isinstance(parsed, dict):
        raise ToolRetry("the arguments are not a JSON object")
    return parsed
