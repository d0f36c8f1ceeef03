"""./chatmill bench agent: what a turn with two tool calls costs around an instant model.

Beside it the same turn through LangChain's agent, where that is installed: HOW_TO_COMPARE.
"""

import argparse
import importlib.util
import itertools
import json
import time

import bench.model_faults.command as model_faults
from f.agent.completion import completion, tool_call
from f.agent.context import Known
from f.agent.toolbox import Toolbox
from f.chat.thinking import think
from f.shared.deadline import Deadline
from local.chatbot_settings import demo_chatbot
from local.migrations import migrate
from local.places import STATE
from local.postgres import open_postgres
from local.rehearsal import Noted, Stage, turn_for
from local.running import demo_database
from local.terminal import heading

QUESTION = "How long do refunds take, and where do I see mine?"
ANSWER = "Refunds take five working days, and stand in your account. [1]"
TEXT = "Refunds take five working days after the parcel is back. They stand in your account."
TURNS = 300
BUDGET_MS = 30
HOW_TO_COMPARE = """\
  langchain  not installed, so there is nothing to compare with. For its row:
               .venv/bin/pip install -r bench/requirements-agent.txt
               ./chatmill bench agent
             Nothing else uses it; the product's own requirements stay as they are."""


def main(arguments: list[str]) -> int:
    if "--faults" in arguments:
        return model_faults.main([one for one in arguments if one != "--faults"])
    options = parse(arguments)
    with open_postgres(STATE) as postgres:
        resource = demo_database(postgres)
        migrate(resource)
        figures = {"chatmill": measured(chatmill_turn(resource), options.turns)}
    if importlib.util.find_spec("langchain"):
        figures["langchain"] = measured(langchain_turn(), options.turns)
    report(figures, options.json)
    return 0 if figures["chatmill"]["p50_ms"] <= BUDGET_MS else 1


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill bench agent", description="Time a turn with two tool calls, in process."
    )
    parser.add_argument("--turns", type=int, default=TURNS, help=f"({TURNS})")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--faults", action="store_true", help="instead: what arrives while the models' vendors fail"
    )
    return parser.parse_args(arguments)


class InstantModel:
    """Calls the tool twice, then answers; in no time."""

    max_reply_tokens = 500

    def go_on_with(self, model: str) -> None:
        pass

    def answer_is_kept(self) -> None:
        pass

    def complete(self, messages: list[dict], schemas: list[dict]):
        done = sum(one["role"] == "tool" for one in messages)
        if done < 2:
            arguments = json.dumps({"query": f"refunds {done}"})
            call = tool_call(0, "knowledge", arguments, f"call_{done}")
            return completion("instant", messages, None, [call], (500, 20))
        return completion("instant", messages, ANSWER, [], (900, 30))


class InstantSearch:
    name = "knowledge"
    description = "Search the organization's documents."
    links_are_known = True
    parameters = {
        "type": "object",
        "properties": {"query": {"type": "string"}},
        "required": ["query"],
        "additionalProperties": False,
    }

    def run(self, arguments: dict) -> tuple[str, dict]:
        passage = {"chunk_id": "c", "title": "Refunds", "heading_path": "", "score": 0.8}
        told = {"passages": [{"source": 1, "text": TEXT}]}
        return json.dumps(told), {"passages": [passage]}


def chatmill_turn(resource: dict):
    """The loop, the tools' checks, guards, promises, route and citations; no database."""
    stage = Stage(resource, {}, "", demo_chatbot(resource))
    turn = turn_for(stage, QUESTION, Known())

    def run() -> str:
        effects = Noted()
        toolbox = Toolbox([InstantSearch()], effects)
        return think(turn, InstantModel(), toolbox, effects, Deadline(45)).reply.text

    return run


def langchain_turn():
    """The same model and tool through `create_agent`, which guards and checks nothing."""
    agents = importlib.import_module("langchain.agents")
    messages = importlib.import_module("langchain_core.messages")
    models = importlib.import_module("langchain_core.language_models.fake_chat_models")
    tools = importlib.import_module("langchain_core.tools")

    class Instant(models.GenericFakeChatModel):
        def bind_tools(self, tools, **more):
            return self

    def knowledge(query: str) -> str:
        """Search the organization's documents."""
        return TEXT

    calls = [
        messages.AIMessage(
            content="",
            tool_calls=[{"name": "knowledge", "args": {"query": f"refunds {n}"}, "id": str(n)}],
        )
        for n in range(2)
    ]
    said = itertools.cycle([*calls, messages.AIMessage(content=ANSWER)])
    agent = agents.create_agent(Instant(messages=said), [tools.tool(knowledge)])

    def run() -> str:
        return agent.invoke({"messages": [("user", QUESTION)]})["messages"][-1].content

    return run


def measured(run, turns: int) -> dict:
    run()
    taken = []
    for _ in range(turns):
        started = time.perf_counter()
        text = run()
        taken.append((time.perf_counter() - started) * 1000)
        assert "five working days" in text
    taken.sort()
    return {
        "turns": turns,
        "p50_ms": round(taken[turns // 2], 2),
        "p95_ms": round(taken[int(turns * 0.95)], 2),
    }


def report(figures: dict, is_json: bool) -> None:
    if is_json:
        print(json.dumps(figures, indent=2))
        return
    heading("A turn with two tool calls around an instant model, in process")
    for name, one in figures.items():
        print(f"  {name:10} p50 {one['p50_ms']:>7} ms   p95 {one['p95_ms']:>7} ms")
    if "langchain" not in figures:
        print(HOW_TO_COMPARE)
