"""Which tools a turn has: one line for each kind."""

from f.agent.business_hours_tool import BusinessHoursTool
from f.agent.hand_off_tool import HandOffTool
from f.agent.knowledge_tool import KnowledgeTool
from f.agent.remember_fact_tool import RememberFactTool
from f.agent.tool_context import ToolContext


def tools_of(context: ToolContext) -> list:
    return [
        KnowledgeTool(context.open_transaction, context.model, context.organization_id),
        HandOffTool(context),
        RememberFactTool(context),
        *([BusinessHoursTool(context)] if context.business_hours else []),
    ]
