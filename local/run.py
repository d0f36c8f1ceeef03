"""./chatmill run: one script or flow, with each step's result and time."""

import argparse
import json
import sys
from contextlib import ExitStack

from local import installation
from local.errors import CannotRun
from local.progress import Progress, duration
from local.running import Options, prepared, running
from local.terminal import paint
from runner.engine import NotFound


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    progress = Progress(sys.stderr if sys.stderr.isatty() else None)
    with ExitStack() as stack:
        ready = stack.enter_context(prepared(progress))
        how = Options(isolated=options.isolated, with_graph=False)
        organization_id = installation.DEMO_ORGANIZATION
        local = stack.enter_context(running(ready, organization_id, progress, how))
        try:
            outcome = local.engine.run(options.path, options.args, listener=print_event)
        except NotFound as error:
            raise CannotRun(
                f"there is no script or flow at {options.path}. There are: "
                + ", ".join(sorted(runnables(local.engine.workspace)))
            ) from error
    print(f"{outcome.status}: {shown(outcome.result)}")
    return 0 if outcome.status in ("success", "skipped") else 1


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill run", description="Run one script or flow of the workspace under f/."
    )
    parser.add_argument("path", help="such as f/chat/answer_message")
    parser.add_argument(
        "--args", type=json_object, default={}, metavar="JSON", help="its arguments"
    )
    parser.add_argument("--isolated", action="store_true", help="a process for every step")
    return parser.parse_args(arguments)


def json_object(text: str) -> dict:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError('a JSON object is expected, such as \'{"name": "Ada"}\'')
    return value


def runnables(workspace) -> list[str]:
    return [path for path, script in workspace.scripts.items() if is_step(script)] + [
        *workspace.flows
    ]


def is_step(script) -> bool:
    return script.language != "python3" or "\ndef main(" in script.content


def print_event(event) -> None:
    if event.kind != "finished" or not event.step_id:
        return
    mark = paint("✓", "green") if event.success else paint("✗", "red")
    print(f"{mark} {event.step_id:<24} {duration(event.seconds):>8}  {shown(event.result)}")


def shown(result: object) -> str:
    return json.dumps(result, ensure_ascii=False, default=str)
