"""./chatmill web: the web chat's server beside Windmill, which stores what its jobs answer.

It keeps nothing: any number may run behind one address. What it needs it asks of Windmill.
"""

import argparse
import os
from collections.abc import Mapping

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from f.shared.db import connect
from f.shared.errors import ChatmillError
from f.shared.windmill import get_resource, get_variable
from local import listening
from local.errors import CannotRun
from local.web_api import WebApi
from local.web_widget import widget_route
from runner.server import uvicorn_config

DEFAULT_PORT = 8322
# Ours, and the names under which Windmill gives the same to its jobs.
SETTINGS = {
    "WINDMILL_URL": "BASE_INTERNAL_URL",
    "WINDMILL_WORKSPACE": "WM_WORKSPACE",
    "WINDMILL_TOKEN": "WM_TOKEN",
}


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    os.environ.update(windmill_settings(os.environ))
    try:
        database = get_resource("f/channels/ingress_database")
        sealing_key = get_variable("f/chat/sealing_key")
    except ChatmillError as error:
        raise CannotRun(f"Windmill does not give what is needed: {error}.") from error
    api = WebApi(database, sealing_key, proxies=options.proxies)
    config = uvicorn_config(Starlette(routes=[*api.routes, widget_route(), health(database)]))
    config.host, config.port = options.host, options.port
    print(f"web chat  http://{options.host}:{options.port}/api/web/", flush=True)
    uvicorn.Server(config).run()
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chatmill web", description=__doc__.split("\n")[0])
    listening.add_options(parser, DEFAULT_PORT)
    return parser.parse_args(arguments)


def windmill_settings(environment: Mapping[str, str]) -> dict[str, str]:
    missing = [name for name in SETTINGS if not environment.get(name)]
    if missing:
        raise CannotRun(f"set {', '.join(missing)}: where Windmill is, and a token for it.")
    return {theirs: environment[ours].rstrip("/") for ours, theirs in SETTINGS.items()}


def health(database: dict) -> Route:
    def answer(request: Request) -> JSONResponse:
        """Not async: it waits for the database, on a thread of its own."""
        try:
            with connect(database) as conn, conn.cursor() as cursor:
                cursor.execute("select 1")
        except ChatmillError as error:
            return JSONResponse({"status": "failing", "reason": str(error)}, 503)
        return JSONResponse({"status": "ok"})

    return Route("/health", answer)
