"""Which tools a turn has: one line for each kind."""

import importlib

from f.agent.contact_files import ContactFilesTool, is_search_needed
from f.agent.hand_off_tool import HandOffTool
from f.agent.knowledge_tool import KnowledgeTool
from f.agent.remember_fact_tool import RememberFactTool
from f.agent.tool_context import ToolContext

# Of an organization's own tools, by tools.kind. They and the hours are imported where a chatbot has
# some: on Windmill each module costs each job 15 to 20 ms.
APPROVED = {
    "mcp": ("f.agent.mcp_tool", "McpTool"),
    "script": ("f.agent.script_tool", "ScriptTool"),
}
BUSINESS_HOURS = ("f.agent.business_hours", "BusinessHoursTool")


def tools_of(context: ToolContext, approved: list) -> list:
    """`approved`: the organization's, of f/agent/approved_tool.py. Ours come last: a tool of the
    same name does not stand in for one."""
    return [
        *(_made(APPROVED[tool.kind], tool, context) for tool in approved if tool.kind in APPROVED),
        KnowledgeTool(
            context.open_transaction, context.model, context.organization_id, context.source_tags
        ),
        *([ContactFilesTool(context.files)] if is_search_needed(context.files) else []),
        HandOffTool(context),
        RememberFactTool(context),
        *([_made(BUSINESS_HOURS, context)] if context.business_hours else []),
    ]


def _made(place: tuple[str, str], *arguments):
    module, name = place
    return getattr(importlib.import_module(module), name)(*arguments)
