"""Let a model call tools until it answers in words, within limits."""

import json
from collections import Counter
from dataclasses import dataclass, field

from f.agent.toolbox import Toolbox
from f.shared.deadline import Deadline
from f.shared.errors import AgentStuck

MAX_ROUNDS = 6
MAX_EQUAL_CALLS = 3
MAX_PARALLEL_CALLS = 4
MAX_SECONDS = 45

IN_WORDS = "Your last answer was empty. Answer the customer in words now."


@dataclass
class Answer:
    text: str = ""
    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tool_calls: list[dict] = field(default_factory=list)
    # Why it ended without words: rounds, tokens, time, refused; None: it answered.
    stuck: str | None = None


def run(
    model,
    messages: list[dict],
    toolbox: Toolbox,
    deadline: Deadline,
    max_rounds: int = MAX_ROUNDS,
    answer: Answer | None = None,
) -> Answer:
    """`model` is anything with complete(messages, schemas). The last round gets no tools, nor does
    one after a call was repeated too often: so that it has to answer with what it found.
    `answer`: one that is to be given again."""
    answer, seen, may_call = answer or Answer(), Counter(), True
    for round_number in range(1, max_rounds + 1):
        if deadline.seconds_left == 0:
            return _stuck(answer, "time")
        schemas = toolbox.schemas if may_call and round_number < max_rounds else []
        try:
            completion = model.complete(messages, schemas)
        except AgentStuck as error:
            return _stuck(answer, error.reason)
        _count(answer, completion)
        messages.append(completion.message)
        if completion.tool_calls:
            may_call = _call_tools(completion.tool_calls, messages, toolbox, answer, seen)
        elif completion.text.strip():
            answer.text = completion.text
            return answer
        else:
            messages.append({"role": "user", "content": IN_WORDS})
    return _stuck(answer, "rounds")


def _call_tools(calls, messages: list[dict], toolbox: Toolbox, answer: Answer, seen) -> bool:
    """Every call is answered, as the vendors demand; whether more calls may follow."""
    for number, call in enumerate(calls):
        key = _key(call)
        seen[key] += 1
        refusal = None
        if number >= MAX_PARALLEL_CALLS:
            refusal = f"only {MAX_PARALLEL_CALLS} calls are taken at once; this one was not made"
        elif seen[key] > MAX_EQUAL_CALLS:
            refusal = "this call was made before; answer with what it returned"
        message, record = toolbox.answer(call, len(answer.tool_calls), refusal)
        messages.append(message)
        answer.tool_calls.append(record)
    return not any(count > MAX_EQUAL_CALLS for count in seen.values())


def _key(call: dict) -> tuple[str, str]:
    arguments = call["function"]["arguments"]
    try:
        arguments = json.dumps(json.loads(arguments), sort_keys=True)
    except (ValueError, RecursionError):
        pass  # two equal calls that are not JSON are equal as they stand
    return call["function"]["name"], arguments


def _count(answer: Answer, completion) -> None:
    answer.model_calls += 1
    answer.input_tokens += completion.input_tokens
    answer.output_tokens += completion.output_tokens


def _stuck(answer: Answer, reason: str) -> Answer:
    answer.stuck = reason
    return answer
