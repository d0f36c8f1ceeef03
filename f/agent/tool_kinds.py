"""Which tools a turn has: one line for each kind."""

from f.agent.approved_tool import ApprovedTool
from f.agent.business_hours_tool import BusinessHoursTool
from f.agent.contact_files import ContactFilesTool, is_search_needed
from f.agent.hand_off_tool import HandOffTool
from f.agent.knowledge_tool import KnowledgeTool
from f.agent.mcp_tool import McpTool
from f.agent.remember_fact_tool import RememberFactTool
from f.agent.script_tool import ScriptTool
from f.agent.tool_context import ToolContext

# Of an organization's own tools, by tools.kind.
APPROVED = {
    "mcp": McpTool,
    "script": ScriptTool,
}


def tools_of(context: ToolContext, approved: list[ApprovedTool]) -> list:
    """Ours come last: an organization's tool of the same name does not stand in for one."""
    return [
        *(APPROVED[tool.kind](tool, context) for tool in approved if tool.kind in APPROVED),
        KnowledgeTool(context.open_transaction, context.model, context.organization_id),
        *([ContactFilesTool(context.files)] if is_search_needed(context.files) else []),
        HandOffTool(context),
        RememberFactTool(context),
        *([BusinessHoursTool(context)] if context.business_hours else []),
    ]
