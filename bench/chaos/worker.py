"""A worker: takes one job at a time from the conductor and runs it with the project's runner."""

import json
import sys
from pathlib import Path

from bench.chaos import boundaries
from bench.chaos.dice import Dice
from bench.chaos.worker_line import Conductor
from runner import isolated_step
from runner.http_triggers import RouteTable, trigger_from
from runner.jobs import Outcome, StepEvent
from runner.special_results import response_of
from runner.trigger_arguments import TriggerRequest, event_of

ISOLATED_PROCESS = Path(__file__).with_name("isolated_process.py")


def work(engine, setup: dict, wanted: dict) -> None:
    conductor = Conductor(setup["socket"])
    engine.start(setup["base_url"])
    routes = RouteTable(
        [trigger_from(each.path, each.metadata) for each in engine.workspace.http_triggers],
        engine.workspace_id,
    )
    conductor.tell({"event": "hello", **wanted})
    while line := conductor.lines.readline():
        job = json.loads(line)
        outcome = run(engine, setup, routes, conductor, job)
        conductor.tell({"event": "done", "job": job["id"], **outcome})


def run(engine, setup: dict, routes: RouteTable, conductor: Conductor, job: dict) -> dict:
    faults = boundaries.Job(
        job["id"],
        job["key"],
        job["kill_rate"],
        job["freeze_rate"],
        Dice(setup["seed"]),
        conductor.tell,
        job["pause_at"],
        conductor.wait,
    )
    boundaries.begin(faults)
    if setup["isolated"]:
        step_process(setup, job)
    if job["kind"] == "webhook":
        answer = receive(engine, routes, job)
    else:
        outcome = engine.run(job["path"], job["args"], lambda event: listen(conductor, job, event))
        answer = {"status": outcome.status, "error": error_name(outcome)}
    boundaries.forget_call(faults)
    return {**answer, **boundaries.found_by(faults)}


def step_process(setup: dict, job: dict) -> None:
    """The runner's command for a step's process, with the boundaries in it."""
    facts = {"socket": setup["socket"], "seed": setup["seed"]}
    facts |= {name: job[name] for name in ("id", "key", "kill_rate", "freeze_rate")}
    command = (sys.executable, "-u", "-S", "-P", str(ISOLATED_PROCESS), json.dumps(facts))
    isolated_step.COMMAND = command


def receive(engine, routes: RouteTable, job: dict) -> dict:
    """A webhook as the server hands it over: the trigger's preprocessor gets the request."""
    match = routes.find("POST", job["path"])
    body = job["body"].encode()
    request = TriggerRequest(match, "POST", job["path"], "", job["headers"], body)
    job_id = engine.submit(match.trigger.script_path, {}, event=event_of(request))
    outcome = engine.wait(job_id)
    status = response_of(outcome.success, outcome.result).status_code
    return {"status": status, "error": error_name(outcome)}


def listen(conductor: Conductor, job: dict, event: StepEvent) -> None:
    """Between two steps a worker can be lost too: then nobody goes on with the flow."""
    if event.kind == "finished" and event.step_id == "load_turn" and event.success:
        decision = (event.result or {}).get("decision")
        reason = (event.result or {}).get("reason")
        facts = {"decision": decision, "reason": reason}
        conductor.tell({"event": "claimed", "job": job["id"], **facts})
    if event.success is False and event.step_id and isinstance(event.result, dict):
        failed = event.result.get("error") or {}
        error = f"{event.step_id}: {failed.get('name')}"
        conductor.tell({"event": "failed", "job": job["id"], "error": error})
    if event.step_id:
        boundaries.reach(f"flow:{event.step_id}:{event.kind}")


def error_name(outcome: Outcome) -> str | None:
    result = outcome.result if isinstance(outcome.result, dict) else {}
    error = result.get("error")
    if not isinstance(error, dict):
        return None
    return f"{error.get('step_id', '')}:{error.get('name')}"
