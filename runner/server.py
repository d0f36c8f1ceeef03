"""Serve a workspace over HTTP from a background thread: its triggers and the scripts' API."""

import errno
import socket
import threading
from collections.abc import Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from runner import scripts_api
from runner.engine import Engine
from runner.guarded_protocol import GuardedProtocol
from runner.request_bodies import BodyLimits, BodyReader
from runner.routes import PREFIX, TriggerRoutes

# Requests under way get this long to end before they are answered 503.
GRACE_SECONDS = 2


class PortInUse(OSError):
    """Another program listens on the address."""


def create_app(
    engine: Engine, extra_routes: Sequence[BaseRoute] = (), limits: BodyLimits | None = None
) -> Starlette:
    """`extra_routes` come first; `app.state.triggers` is what must be stopped with the server."""
    bodies = BodyReader(limits or BodyLimits())
    triggers = TriggerRoutes(engine, bodies)
    own_routes = [*scripts_api.routes(engine, bodies), Mount(PREFIX, app=triggers)]
    app = Starlette(routes=[*extra_routes, *own_routes])
    app.state.triggers = triggers
    return app


class Server:
    def __init__(
        self,
        engine: Engine,
        host: str = "127.0.0.1",
        port: int = 0,
        extra_routes: Sequence[BaseRoute] = (),
        limits: BodyLimits | None = None,
    ):
        self._app = create_app(engine, extra_routes, limits)
        self._address = (host, port)
        self._uvicorn = uvicorn.Server(uvicorn_config(self._app))
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self.base_url = ""

    def start(self) -> None:
        """Return once the port is bound; connections are accepted from then on."""
        self._socket = _bound_socket(*self._address)
        host, port = self._socket.getsockname()[:2]
        self.base_url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        run = self._uvicorn.run
        self._thread = threading.Thread(target=run, args=([self._socket],), name="http-server")
        self._thread.daemon = True
        self._thread.start()

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        self._app.state.triggers.stop_waiting()
        self._uvicorn.should_exit = True
        if self._thread:
            self._thread.join(2 * GRACE_SECONDS)
        self._app.state.triggers.close()


def uvicorn_config(app: Starlette) -> uvicorn.Config:
    """For a server that strangers reach: quiet, and guarded against what no browser sends."""
    return uvicorn.Config(
        app,
        http=GuardedProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # whoever needs the client's address knows how many proxies to trust
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_SECONDS,
        log_level="error",
    )


def _bound_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each reply waits 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(2048)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"Port {port} on {host} is in use by another program; choose another port."
            ) from error
        raise
    return bound
