"""Let a chatbot answer without anybody being told: for replays and evals.

The same code thinks and judges. The model and the search are real; whatever would change
something is only noted.
"""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import f.agent.loop as loop
from f.agent.approved_tool import ApprovedTool, approved_tools
from f.agent.context import Known
from f.agent.model_chain import ModelChain
from f.agent.model_slot import in_order, slots_of
from f.agent.tool_kinds import tools_of
from f.agent.toolbox import Toolbox
from f.chat.thinking import Draft, think
from f.chat.turn_context import CHATBOT_COLUMNS, TurnContext
from f.shared.deadline import Deadline
from f.shared.errors import ToolFailed
from local.errors import CannotRun
from local.migrations import connection_to

READ = f"""
select organizations.id::text, chatbots.id::text, organizations.name, chatbots.name,
       {CHATBOT_COLUMNS}, organizations.time_zone
  from chatbots join organizations on organizations.id = chatbots.organization_id
 where chatbots.id = %s
"""


@dataclass(frozen=True)
class Stage:
    """What every rehearsal of a chatbot shares. `settings`: of a version that is not in use, by
    the names of chatbots' columns."""

    resource: dict
    model: dict
    sealing_key: str
    chatbot_id: str
    settings: dict | None = None
    model_name: str | None = None

    def open_transaction(self) -> AbstractContextManager:
        return _transaction(self.resource)


@contextmanager
def _transaction(resource: dict):
    with connection_to(resource) as connection:
        yield connection
        connection.rollback()  # a rehearsal leaves nothing


class Noted:
    """Effects that are not made. `once` says that they were, so that the model goes on."""

    is_any_unknown = False

    def __init__(self):
        self.calls: list[str] = []

    def __bool__(self) -> bool:
        return bool(self.calls)

    def once(self, tool, arguments: dict, position: int) -> tuple[str, dict]:
        self.calls.append(tool.name)
        return "Done.", {"rehearsed": True}

    def has_done(self, *tools: str) -> bool:
        return any(tool in self.calls for tool in tools)

    def has_acted(self) -> bool:
        return False


class LetThrough:
    """A breaker that a rehearsal can't open for real turns."""

    def lets_through(self, provider_key: str) -> bool:
        return True

    def failed(self, provider_key: str) -> None:
        pass

    succeeded = failed


def turn_for(stage: Stage, question: str, known: Known | None = None) -> TurnContext:
    with stage.open_transaction() as conn, conn.cursor() as cursor:
        cursor.execute(READ, (stage.chatbot_id,))
        row = cursor.fetchone()
    if row is None:
        raise CannotRun(f"there is no chatbot {stage.chatbot_id}.")
    organization_id, chatbot_id, organization_name, chatbot_name, *columns, time_zone = row
    turn = TurnContext(
        str(uuid.uuid4()), organization_id, "", "", "", chatbot_id, organization_name,
        "thinking", 0, None, chatbot_name, "web", {}, None, *columns,
        datetime.now(ZoneInfo(time_zone)), known or Known(), question, [],
    )  # fmt: skip
    return replace(turn, **(stage.settings or {}))


def rehearse(stage: Stage, turn: TurnContext, told: Callable | None = None) -> Draft:
    """`told(model call)` hears of every completion."""
    deadline, noted = Deadline(loop.MAX_SECONDS), Noted()
    with stage.open_transaction() as conn:
        slots = slots_of(conn, stage.chatbot_id, stage.model, None, stage.sealing_key)
    if stage.model_name:
        slots = [replace(slots[0], model=stage.model_name)]
    chain = ModelChain(
        in_order(slots, turn.turn_id), turn.max_reply_tokens, deadline, LetThrough(),
        may_switch=lambda: True, on_refusal=lambda slot, status: None,
        on_outage=lambda seconds_left: None,
    )  # fmt: skip
    opens = stage.open_transaction
    context = turn.for_tools(opens, opens, stage.model, stage.sealing_key)
    with stage.open_transaction() as conn:
        approved = approved_tools(conn, stage.chatbot_id)
    played = [Played(tool) for tool in approved]
    toolbox = Toolbox([*played, *tools_of(context, [])], noted)
    return think(turn, _Heard(chain, told), toolbox, noted, deadline)


class Played:
    """A tool of the organization's that is offered and not called: what it read may be about a
    person, and what it told then is not kept."""

    def __init__(self, tool: ApprovedTool):
        self.name = tool.name
        self.description = tool.description
        self.parameters = tool.parameters
        self.class_ = "read" if tool.class_ == "read" else "own"

    def run(self, arguments: dict) -> tuple[str, dict]:
        raise ToolFailed("nothing outside is called in a rehearsal")


class _Heard:
    def __init__(self, chain: ModelChain, told: Callable | None):
        self._chain = chain
        self._told = told

    def complete(self, messages: list[dict], schemas: list[dict]):
        completion = self._chain.complete(messages, schemas)
        if self._told:
            self._told(completion)
        return completion
