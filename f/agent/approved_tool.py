"""A tool as a person approved it: what the model is told of it, and what only we fill in."""

import hashlib
import json
from dataclasses import dataclass

from f.agent.json_schema import problem_of_schema
from f.agent.tool_context import ToolContext
from f.shared.errors import ToolRetry

# What of a definition a person approved; anything else may change.
PINNED = ("name", "description", "inputSchema", "outputSchema", "annotations")
# A tool with an argument of this name is told the key of its effect.
KEY_ARGUMENT = "effect_key"
MAX_DESCRIPTION_CHARACTERS = 2000
# What an argument of identity can be filled with. Never by the model: it could be talked into
# naming somebody else.
IDENTITIES = ("contact_id", "contact_key", "conversation_id", "organization_id")

READ = """
select tools.id::text, tools.kind, tools.name, tools.title, target, pinned_hash, definition,
       definition_sha256, class, bindings, honours_key, tool_servers.id::text, tool_servers.url,
       tool_servers.sealed_token, tool_servers.callback_url
  from tools left join tool_servers on tool_servers.id = tools.tool_server_id
 where chatbot_id = %s and tools.state = 'approved' and coalesce(tool_servers.is_active, true)
 order by tools.name
"""


@dataclass(frozen=True)
class ApprovedTool:
    tool_id: str
    kind: str
    name: str
    title: str
    target: str
    pinned_hash: str | None
    definition: dict
    definition_sha256: str
    class_: str
    bindings: dict
    honours_key: bool
    server_id: str | None
    server_url: str | None
    sealed_token: str | None
    callback_url: str | None

    @property
    def description(self) -> str:
        return str(self.definition.get("description") or self.title)[:MAX_DESCRIPTION_CHARACTERS]

    @property
    def parameters(self) -> dict:
        """Without the arguments that we fill in, and closed to any other."""
        schema = self.definition["inputSchema"]
        hidden = {*self.bindings, KEY_ARGUMENT}
        told = schema.get("properties", {}).items()
        properties = {name: one for name, one in told if name not in hidden}
        required = [name for name in schema.get("required", []) if name in properties]
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }

    def filled(self, arguments: dict, context: ToolContext) -> dict:
        """With the arguments of identity. Raises ToolRetry."""
        bound = {name: getattr(context, identity) for name, identity in self.bindings.items()}
        for value in _texts(arguments):
            # Windmill takes such a text for a reference, and would put a secret in its place.
            if value.lstrip().startswith("$"):
                raise ToolRetry("an argument must not begin with $")
        return {**arguments, **bound}


class OutsideTool:
    """What the loop sees of an approved tool. A kind says how it runs, and whether a call that is
    repeated with its key has one effect."""

    is_outside = True

    def __init__(self, tool: ApprovedTool, context: ToolContext):
        self.approved = tool
        self.name = tool.name
        self.description = tool.description
        self.parameters = tool.parameters
        self.class_ = tool.class_
        self.honours_key = tool.honours_key
        self._context = context


def approved_tools(conn, chatbot_id: str) -> list[ApprovedTool]:
    """Those that can be offered: one whose schema or bindings we refuse is left out."""
    with conn.cursor() as cursor:
        cursor.execute(READ, (chatbot_id,))
        tools = [ApprovedTool(*row) for row in cursor]
    return [tool for tool in tools if problem_of_tool(tool.definition, tool.bindings) is None]


def problem_of_tool(definition: dict, bindings: dict) -> str | None:
    """Why a tool can't be approved; None: it can."""
    problem = problem_of_schema(definition.get("inputSchema"))
    if problem:
        return problem
    unknown = set(bindings) - set(definition["inputSchema"].get("properties", {}))
    if unknown:
        return f"the tool has no argument {sorted(unknown)[0]!r}"
    if not set(bindings.values()) <= set(IDENTITIES):
        return f"an argument can be bound to {', '.join(IDENTITIES)}"
    return None


def definition_sha256(definition: dict) -> str:
    pinned = {name: definition.get(name) for name in PINNED}
    canonical = json.dumps(pinned, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _texts(value: object):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
