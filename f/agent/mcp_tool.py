"""A tool of an organization's MCP server, called only as it was approved."""

import importlib
from types import ModuleType

from f.agent.approved_tool import ApprovedTool, OutsideTool, definition_sha256
from f.agent.tool_context import ToolContext
from f.agent.tool_results import as_data
from f.shared.crypto import open_sealed
from f.shared.errors import SignInNeeded, TokenRefused, ToolFailed, UpstreamDown, UpstreamRefused

MARK_CHANGED = "update tools set state = 'changed' where id = %s and state = 'approved'"
RAISE_ALERT = "select raise_alert(%s, 'error', 'tool_changed', %s, %s)"


class McpTool(OutsideTool):
    def __init__(self, tool: ApprovedTool, context: ToolContext):
        super().__init__(tool, context)
        self.honours_key = False  # the protocol has no key for a call
        self._authority = None
        self._contacts_token = ""

    def authorize(self) -> None:
        """Before anything is asked or done. Raises SignInNeeded where the server wants to know the
        contact and does not yet."""
        if self.approved.callback_url:
            library = importlib.import_module("f.agent.contact_authority")
            self._authority = library.ContactAuthority(self.approved, self._context)
            self._contacts_token = self._authority.token()

    def authorize_again(self) -> None:
        """After TokenRefused: a server need not tell when a token ends. Raises SignInNeeded."""
        self._contacts_token = self._authority.token_after_refusal()

    def sign_in_asked(self) -> SignInNeeded:
        """To be raised: a token that is fresh was refused too."""
        return self._authority.asked()

    def run(self, arguments: dict, effect_key: str = "") -> tuple[str, dict]:
        filled = self.approved.filled(arguments, self._context)
        result = self._called(filled)
        if result["is_error"]:
            raise ToolFailed("the tool says that it could not do it")
        shown = result["structured"] if result["structured"] is not None else result["text"]
        return as_data(shown), {"server_id": self.approved.server_id}

    def _called(self, filled: dict) -> dict:
        client = mcp_client()
        server = client.McpServer(self.approved.server_url, self._token())
        try:
            self._check_definition(self._definitions(client, server))
            return client.call_tool(server, self.approved.target, filled)
        except UpstreamRefused as error:
            if self._contacts_token:
                raise TokenRefused() from error
            raise

    def _definitions(self, client: ModuleType, server) -> list[dict]:
        try:
            return client.list_tools(server)
        except UpstreamDown as error:  # before the call: surely nothing was done
            raise ToolFailed("the system behind this tool did not answer") from error

    def _token(self) -> str:
        """A contact's calls are never made with the organization's token."""
        if self.approved.callback_url:
            return self._contacts_token
        if not self.approved.sealed_token:
            return ""
        place = token_place(self.approved.server_id)
        return open_sealed(self._context.sealing_key, self.approved.sealed_token, place)

    def _check_definition(self, definitions: list[dict]) -> None:
        """What the model was told of the tool is what a person approved; if the server now tells
        something else, it may do something else too."""
        found = [one for one in definitions if one["name"] == self.approved.target]
        if len(found) == 1 and definition_sha256(found[0]) == self.approved.definition_sha256:
            return
        summary = f"tool {self.name}: its server tells another definition than was approved"
        with self._context.open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(MARK_CHANGED, (self.approved.tool_id,))
            values = (self._context.organization_id, self.approved.tool_id, summary)
            cursor.execute(RAISE_ALERT, values)
        raise ToolFailed("this tool is switched off until a person has looked at it")


def mcp_client() -> ModuleType:
    """Two seconds of import that only a turn with such a call pays."""
    return importlib.import_module("f.agent.mcp_client")


def token_place(server_id: str) -> str:
    return f"tool_servers.sealed_token:{server_id}"
