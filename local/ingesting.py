"""Read sources here and now, by the flow that Windmill would start for them."""

from contextlib import contextmanager

from local.errors import CannotRun
from local.migrations import connection_to
from local.workspace import checked_workspace
from runner.engine import Engine
from runner.jobs import Listener, StepEvent
from runner.workspace import Workspace

FLOW = "f/knowledge/ingest_source"
STOP_SECONDS = 3


@contextmanager
def reading(resource: dict, model: dict, workspace: Workspace | None = None):
    """An engine that runs the flow and nothing else; `resource` is the owner's or a role's."""
    resources = {"f/knowledge/knowledge_database": resource, "f/chat/model": model}
    engine = Engine(workspace or checked_workspace(), resources=resources, worker_threads=2)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop(STOP_SECONDS)


def read_source(engine: Engine, source_id: str, name: str, watch: Listener | None = None) -> dict:
    """The flow's result. Raises CannotRun when a step failed."""
    problems = []

    def listen(event: StepEvent) -> None:
        if event.kind == "finished" and event.step_id and not event.success:
            problems.append(event.result["error"]["message"])
        if watch:
            watch(event)

    outcome = engine.run(FLOW, {"source_id": source_id}, listener=listen)
    if outcome.status != "success":
        reason = problems[0] if problems else "no reason is known"
        raise CannotRun(f"{name} could not be read: {reason}.")
    return outcome.result


def refusal_of(resource: dict, source_id: str) -> str | None:
    """The sentence for whoever gave the source."""
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute("select refusal from sources where id = %s", [source_id])
        found = cursor.fetchone()
    return found[0] if found else None
