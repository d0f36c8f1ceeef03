"""The tool that tells when a person is there."""

import json

from f.agent.business_hours import in_words
from f.agent.tool_context import ToolContext


class BusinessHoursTool:
    name = "business_hours"
    description = "When people of the organization are there: now, next, and in the week."
    parameters = {"type": "object", "properties": {}, "additionalProperties": False}

    def __init__(self, context: ToolContext):
        self._context = context

    def run(self, arguments: dict) -> tuple[str, dict]:
        told = in_words(self._context.business_hours, self._context.now)
        return json.dumps(told, ensure_ascii=False), {"is_open": told["is_open"]}
