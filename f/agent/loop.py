"""Let a model call tools until it answers in words."""

from dataclasses import dataclass, field

from f.agent.toolbox import Toolbox
from f.shared.errors import AgentStuck

MAX_ROUNDS = 6


@dataclass
class Answer:
    text: str = ""
    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tool_calls: list[dict] = field(default_factory=list)


def run(model, messages: list[dict], toolbox: Toolbox, max_rounds: int = MAX_ROUNDS) -> Answer:
    """`model` is anything with complete(messages, schemas); the last round gets no tools, so that
    it has to answer with what it found. Raises AgentStuck when even then it only calls tools."""
    answer = Answer()
    for round_number in range(1, max_rounds + 1):
        schemas = toolbox.schemas if round_number < max_rounds else []
        completion = model.complete(messages, schemas)
        answer.model_calls += 1
        answer.input_tokens += completion.input_tokens
        answer.output_tokens += completion.output_tokens
        messages.append(completion.message)
        if not completion.tool_calls:
            answer.text = completion.text
            return answer
        for call in completion.tool_calls:
            message, record = toolbox.answer(call)
            messages.append(message)
            answer.tool_calls.append(record)
    raise AgentStuck(f"no answer after {max_rounds} rounds")
