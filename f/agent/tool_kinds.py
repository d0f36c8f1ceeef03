"""Which tools a turn has: one line for each kind."""

import importlib

from f.agent.approved_tool import ApprovedTool, OutsideTool
from f.agent.business_hours import BusinessHoursTool
from f.agent.contact_files import ContactFilesTool, is_search_needed
from f.agent.hand_off_tool import HandOffTool
from f.agent.knowledge_tool import KnowledgeTool
from f.agent.remember_fact_tool import RememberFactTool
from f.agent.tool_context import ToolContext

# Of an organization's own tools, by tools.kind; imported when a chatbot has one.
APPROVED = {
    "mcp": ("f.agent.mcp_tool", "McpTool"),
    "script": ("f.agent.script_tool", "ScriptTool"),
}


def tools_of(context: ToolContext, approved: list[ApprovedTool]) -> list:
    """Ours come last: an organization's tool of the same name does not stand in for one."""
    return [
        *(_outside(tool, context) for tool in approved if tool.kind in APPROVED),
        KnowledgeTool(
            context.open_transaction, context.model, context.organization_id, context.source_tags
        ),
        *([ContactFilesTool(context.files)] if is_search_needed(context.files) else []),
        HandOffTool(context),
        RememberFactTool(context),
        *([BusinessHoursTool(context)] if context.business_hours else []),
    ]


def _outside(tool: ApprovedTool, context: ToolContext) -> OutsideTool:
    module, name = APPROVED[tool.kind]
    return getattr(importlib.import_module(module), name)(tool, context)
