"""./chatmill eval: golden questions, asked several times; what passes every time counts."""

import argparse
import hashlib
import json
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from f.agent.plain_text import unmasked
from local.chatbot_settings import demo_chatbot, settings_of
from local.errors import CannotRun
from local.facts import rows
from local.migrations import connection_to
from local.models import open_model
from local.places import STATE
from local.postgres import open_postgres
from local.rehearsal import Stage, rehearse, turn_for
from local.secrets_file import load_secrets

TIMES = 3
LISTS = ("must_contain", "must_not_contain", "must_cite", "must_call")
FIELDS = {"question", "route", "guard", *LISTS}
ROUTES = ("auto", "human", "spam")

PRICE = "select price_of(%(model)s, %(input)s, %(output)s) as cost"
KEEP = """
insert into eval_runs (
  organization_id, chatbot_id, version, questions_sha256, cases, times, passed_every_time,
  passed_once, input_tokens, output_tokens, cost_microcents, p50_ms, p95_ms, failed
)
select organization_id, id, %(version)s, %(sha256)s, %(cases)s, %(times)s, %(every)s, %(once)s,
       %(input)s, %(output)s, %(cost)s, %(p50)s, %(p95)s, %(failed)s
  from chatbots where id = %(chatbot_id)s
"""


@dataclass
class Result:
    """`failed`: by question, why a try did not pass; `tokens` by model: read, written."""

    cases: list[dict]
    times: int
    passed_every_time: int = 0
    passed_once: int = 0
    milliseconds: list[int] = field(default_factory=list)
    tokens: dict[str, list[int]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def percentile(self, share: float) -> int:
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def count(self, completion) -> None:
        tokens = self.tokens.setdefault(completion.model, [0, 0])
        tokens[0] += completion.input_tokens
        tokens[1] += completion.output_tokens


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    cases = read_cases(options.file)
    with open_postgres(STATE) as postgres, open_model() as model:
        resource = postgres.resource
        chatbot_id = str(options.chatbot) if options.chatbot else demo_chatbot(resource)
        version = options.chatbot_version
        settings = settings_of(resource, chatbot_id, version) if version else None
        key = load_secrets(STATE).sealing_key
        stage = Stage(resource, model, key, chatbot_id, settings, options.model)
        result = run_cases(stage, cases, options.times)
        cost = keep(stage, result, version)
    report(result, cost, options.json)
    return 0 if result.passed_every_time == len(cases) else 1


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill eval",
        description="Ask a chatbot golden questions without telling anybody.",
    )
    parser.add_argument("file", type=Path, help="YAML: a list of cases; see db/demo/evals.yaml")
    parser.add_argument("--times", type=int, default=TIMES, help=f"each case so often ({TIMES})")
    parser.add_argument("--chatbot", type=uuid.UUID, help="its id; the demo's without one")
    parser.add_argument("--chatbot-version", type=int, metavar="V", help="else the one in use")
    parser.add_argument("--model", metavar="M", help="at the first slot's vendor; else as in use")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def read_cases(path: Path) -> list[dict]:
    """Raises CannotRun, naming the case that is wrong."""
    try:
        cases = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise CannotRun(f"{path} can't be read as YAML.") from error
    if not isinstance(cases, list) or not cases:
        raise CannotRun(f"{path} is no list of cases.")
    for number, case in enumerate(cases, start=1):
        problem = problem_of(case)
        if problem:
            raise CannotRun(f"{path}, case {number}: {problem}.")
    return cases


def problem_of(case: object) -> str | None:
    if not isinstance(case, dict) or not isinstance(case.get("question"), str):
        return "it has no question"
    if set(case) - FIELDS:
        return f"unknown: {', '.join(sorted(set(case) - FIELDS))}"
    if case.get("route", "auto") not in ROUTES:
        return f"route is one of {', '.join(ROUTES)}"
    wrong = [name for name in LISTS if not isinstance(case.get(name, []), list)]
    return f"{wrong[0]} is a list" if wrong else None


def run_cases(stage: Stage, cases: list[dict], times: int) -> Result:
    result = Result(cases, times)
    for case in cases:
        problems = [_try(stage, case, result) for _ in range(times)]
        result.passed_once += None in problems
        if not any(problems):
            result.passed_every_time += 1
        else:
            result.failed[case["question"]] = next(filter(None, problems))
    return result


def _try(stage: Stage, case: dict, result: Result) -> str | None:
    started = time.monotonic()
    draft = rehearse(stage, turn_for(stage, case["question"]), result.count)
    result.milliseconds.append(round((time.monotonic() - started) * 1000))
    return judged(case, draft)


def judged(case: dict, draft) -> str | None:
    """What of the case the answer does not keep; None: all is kept."""
    said = _plain(draft.reply.text)
    called = {call["tool"] for call in draft.thought.tool_calls}
    cites = [f"{one['title']} {one['heading_path']}" for one in draft.reply.citations]
    if draft.reply.route.kind != case.get("route", "auto"):
        return f"route {draft.reply.route.kind} ({draft.reply.route.reason})"
    if case.get("guard", draft.reply.verdict) != draft.reply.verdict:
        return f"guard {draft.reply.verdict}"
    for text in case.get("must_contain", []):
        if _plain(text) not in said:
            return f"does not say {text!r}"
    for text in case.get("must_not_contain", []):
        if _plain(text) in said:
            return f"says {text!r}"
    for title in case.get("must_cite", []):
        if not any(_plain(title) in _plain(one) for one in cites):
            return f"does not cite {title!r}"
    missing = [tool for tool in case.get("must_call", []) if tool not in called]
    return f"does not call {missing[0]}" if missing else None


def _plain(text: str) -> str:
    return " ".join(unmasked(text).casefold().split())


def keep(stage: Stage, result: Result, version: int | None) -> int | None:
    """Stores the run; returns its cost in microcents, None when a model has no price."""
    with connection_to(stage.resource) as connection, connection.cursor() as cursor:
        costs = []
        for model, (read, written) in result.tokens.items():
            values = {"model": model, "input": read, "output": written}
            costs.append(rows(connection, PRICE, values)[0]["cost"])
        cost = None if None in costs else sum(costs)
        text = json.dumps(result.cases, sort_keys=True)
        values = {
            "chatbot_id": stage.chatbot_id,
            "version": version,
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "cases": len(result.cases),
            "times": result.times,
            "every": result.passed_every_time,
            "once": result.passed_once,
            "input": sum(read for read, _ in result.tokens.values()),
            "output": sum(written for _, written in result.tokens.values()),
            "cost": cost,
            "p50": result.percentile(0.5),
            "p95": result.percentile(0.95),
            "failed": json.dumps(result.failed),
        }
        cursor.execute(KEEP, values)
        connection.commit()
        return cost


def report(result: Result, cost: int | None, is_json: bool) -> None:
    figures = {
        "cases": len(result.cases),
        "times": result.times,
        f"pass^{result.times}": result.passed_every_time,
        "pass@1 of any": result.passed_once,
        "cost_microcents": cost,
        "p50_ms": result.percentile(0.5),
        "p95_ms": result.percentile(0.95),
    }
    if is_json:
        print(json.dumps({**figures, "failed": result.failed}, indent=2, ensure_ascii=False))
        return
    for question, why in result.failed.items():
        print(f"  failed: {question}\n          {why}")
    print("  " + ", ".join(f"{name} {value}" for name, value in figures.items()))
