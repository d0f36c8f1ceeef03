"""./chatmill serve: the server staying up, with schedules, a web chat and /health."""

import argparse
import os
import signal
import sys
from contextlib import ExitStack
from threading import Event

from local import installation, listening
from local.health import Health
from local.models import described
from local.places import STATE, only_instance, private_folder
from local.progress import Progress
from local.running import Options, Running, prepared, running
from local.slack import slack_resources
from local.web_widget import page_route, widget_route
from runner.scheduler import Scheduler

DEFAULT_PORT = 8321
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    progress = Progress(sys.stdout)
    with ExitStack() as stack:
        stack.enter_context(only_instance(private_folder(STATE), "serve"))
        ready = stack.enter_context(prepared(progress))
        health = Health(ready.resource, ready.model, bool(slack_resources(os.environ)))
        organization_id = installation.DEMO_ORGANIZATION
        web = installation.channels_of(ready.resource, organization_id)["web"]
        routes = [page_route(web.url_key), widget_route(), health.route]
        how = Options(options.host, options.port, routes, proxies=options.proxies)
        local = stack.enter_context(running(ready, organization_id, progress, how))
        stack.callback(start_schedules(local, health).stop)
        stopping = stop_requested()
        print_addresses(local)
        stopping.wait()
        print("\nStopping.", flush=True)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill serve",
        description="Serve the routes, schedules and a web chat until stopped.",
    )
    listening.add_options(parser, DEFAULT_PORT)
    return parser.parse_args(arguments)


def start_schedules(local: Running, health: Health) -> Scheduler:
    scheduler = Scheduler(local.engine)
    scheduler.start()
    schedules = local.engine.workspace.schedules
    health.schedules = [each.path for each in schedules if each.metadata.get("enabled")]
    return scheduler


def print_addresses(local: Running) -> None:
    base_url = local.server.base_url
    print(
        f"\nAnswering with the {described(local.prepared.model)}.\n"
        f"  web chat   {base_url}/\n"
        f"  health     {base_url}/health\n"
        f"  WhatsApp   {local.route('whatsapp')}\n"
        f"             (replies go to {graph_address(local)})\n"
        "Stop with Ctrl-C.",
        flush=True,
    )


def graph_address(local: Running) -> str:
    if local.graph is None:
        return "Meta; the sealing key must be this installation's"
    return f"a stand-in for Meta's API at {local.graph.base_url}"


def stop_requested() -> Event:
    """Set by the first signal; a second one interrupts what is still being tidied."""
    requested = Event()

    def request(number, frame):
        requested.set()
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_DFL)

    for each in STOP_SIGNALS:
        signal.signal(each, request)
    return requested
