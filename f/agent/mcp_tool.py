"""A tool of an organization's MCP server, called only as it was approved."""

import importlib
from types import ModuleType

from f.agent.approved_tool import ApprovedTool, definition_sha256
from f.agent.tool_context import ToolContext
from f.agent.tool_results import as_data
from f.shared.crypto import open_sealed
from f.shared.errors import ToolFailed
from f.shared.windmill import get_variable

SEALING_KEY = "f/chat/sealing_key"

MARK_CHANGED = "update tools set state = 'changed' where id = %s and state = 'approved'"
RAISE_ALERT = "select raise_alert(%s, 'error', 'tool_changed', %s, %s)"


class McpTool:
    is_outside = True

    def __init__(self, tool: ApprovedTool, context: ToolContext):
        self._tool = tool
        self._context = context
        self.name = tool.name
        self.description = tool.description
        self.parameters = tool.parameters
        self.class_ = tool.class_
        self.approved = tool
        self.honours_key = False  # the protocol has no key for a call

    def run(self, arguments: dict, effect_key: str = "") -> tuple[str, dict]:
        filled = self._tool.filled(arguments, self._context)
        client = mcp_client()
        server = client.McpServer(self._tool.server_url, self._token())
        self._check_definition(client.list_tools(server))
        result = client.call_tool(server, self._tool.target, filled)
        if result["is_error"]:
            raise ToolFailed("the tool says that it could not do it")
        shown = result["structured"] if result["structured"] is not None else result["text"]
        return as_data(shown), {"server_id": self._tool.server_id}

    def _token(self) -> str:
        if not self._tool.sealed_token:
            return ""
        place = token_place(self._tool.server_id)
        return open_sealed(get_variable(SEALING_KEY), self._tool.sealed_token, place)

    def _check_definition(self, definitions: list[dict]) -> None:
        """What the model was told of the tool is what a person approved; if the server now tells
        something else, it may do something else too."""
        found = [one for one in definitions if one["name"] == self._tool.target]
        if len(found) == 1 and definition_sha256(found[0]) == self._tool.definition_sha256:
            return
        summary = f"tool {self._tool.name}: its server tells another definition than was approved"
        with self._context.open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(MARK_CHANGED, (self._tool.tool_id,))
            values = (self._context.organization_id, self._tool.tool_id, summary)
            cursor.execute(RAISE_ALERT, values)
        raise ToolFailed("this tool is switched off until a person has looked at it")


def mcp_client() -> ModuleType:
    """Two seconds of import that only a turn with such a call pays."""
    return importlib.import_module("f.agent.mcp_client")


def token_place(server_id: str) -> str:
    return f"tool_servers.sealed_token:{server_id}"
