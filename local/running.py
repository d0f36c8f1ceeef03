"""The whole installation in this process: Postgres, model, stand-in, engine and server."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from starlette.routing import BaseRoute

from local import documents, installation
from local.errors import CannotRun
from local.graph_api import GraphApi
from local.logins import role_resources
from local.migrations import migrate
from local.models import described, open_model
from local.places import STATE
from local.postgres import Postgres, open_postgres
from local.progress import Progress
from local.secrets_file import Secrets, load_secrets
from local.slack import slack_resources
from local.web_api import WebApi
from local.workspace import checked_workspace
from runner.engine import Engine
from runner.jobs import Listener
from runner.server import PortInUse, Server
from runner.workspace import Workspace

STOP_SECONDS = 3


@dataclass
class Prepared:
    """A database with this version's tables, the seed and the demo's documents; and a model."""

    resource: dict  # the owner's; steps get one for their role
    model: dict
    secrets: Secrets


@dataclass(frozen=True)
class Options:
    """`with_graph`: point the WhatsApp channel at a stand-in here. One process at a time may.
    `workspace`: another than this repository's. `proxies`: in front of this server, for the
    addresses of the web chat's visitors."""

    host: str = "127.0.0.1"
    port: int = 0
    extra_routes: Sequence[BaseRoute] = ()
    listener: Listener | None = None
    isolated: bool = False
    with_graph: bool = True
    workspace: Workspace | None = None
    worker_threads: int = 16
    variables: Mapping[str, str] = field(default_factory=dict)
    proxies: int = 0


@dataclass
class Running:
    prepared: Prepared
    organization_id: str
    graph: GraphApi | None
    engine: Engine
    server: Server

    @property
    def channels(self) -> dict[str, installation.Channel]:
        return installation.channels_of(self.prepared.resource, self.organization_id)

    def route(self, kind: str) -> str:
        return f"{self.server.base_url}/api/r/chatmill/{self.channels[kind].url_key}"


@contextmanager
def prepared(progress: Progress, is_demo: bool = False):
    """The demo's database is its own, so that trying things never meets what is served."""
    with ExitStack() as stack:
        with progress.phase("Start Postgres"):
            postgres = stack.enter_context(open_postgres(STATE))
        with progress.phase("Bring the database up to date"):
            resource = demo_database(postgres) if is_demo else postgres.resource
            migrate(resource)
            if is_demo:
                installation.forget_earlier_runs(resource)
        with progress.phase("Load the model"):
            model = stack.enter_context(open_model())
        progress.phases[-1]["model"] = described(model)
        add_demo_documents(resource, model, progress)
        yield Prepared(resource, model, load_secrets(STATE))


def demo_database(postgres: Postgres) -> dict:
    return postgres.database(f"{postgres.resource['dbname']}_demo")


def add_demo_documents(resource: dict, model: dict, progress: Progress) -> None:
    organization_id = installation.DEMO_ORGANIZATION
    others = documents.organizations_of_other_models(resource, model)
    if others:
        with progress.phase("Embed documents by another model than before"):
            documents.follow_model(resource, model, others)
    missing = documents.missing_documents(resource, organization_id, documents.demo_documents())
    if missing:
        with progress.phase(f"Read the {len(missing)} articles of the demo's help centre (once)"):
            documents.add_documents(resource, model, organization_id, missing)


@contextmanager
def running(
    ready: Prepared, organization_id: str, progress: Progress, options: Options | None = None
):
    options = options or Options()
    with ExitStack() as stack:
        with progress.phase("Start the server"):
            engine = make_engine(ready, options)
            web_api = make_web_api(ready, options.proxies)
            routes = [*options.extra_routes, *web_api.routes]
            server = Server(engine, options.host, options.port, routes)
            stack.callback(engine.stop, STOP_SECONDS)
            start(server)
            stack.callback(server.stop)
            web_api.own_origins = own_origins(server.base_url)
            engine.start(internal_url(server.base_url))
        graph = None
        is_real = installation.is_connected_to_meta(ready.resource, organization_id)
        if options.with_graph and not is_real:
            graph = stack.enter_context(stand_in(ready, organization_id))
        yield Running(ready, organization_id, graph, engine, server)


def stand_in(ready: Prepared, organization_id: str) -> GraphApi:
    whatsapp = installation.channels_of(ready.resource, organization_id)["whatsapp"]
    graph = GraphApi(ready.secrets.access_token, [whatsapp.account_id])
    graph.webhooks[whatsapp.account_id] = installation.LOCAL_WEBHOOK
    installation.connect_channels(ready.resource, organization_id, ready.secrets, graph.base_url)
    return graph


def make_engine(ready: Prepared, options: Options) -> Engine:
    return Engine(
        options.workspace or checked_workspace(),
        variables={"f/chat/sealing_key": ready.secrets.sealing_key, **options.variables},
        resources={
            **role_resources(ready.resource, ready.secrets.login_key),
            "f/chat/model": ready.model,
            **slack_resources(os.environ),
        },
        isolated=options.isolated,
        worker_threads=options.worker_threads,
        listener=options.listener,
    )


def make_web_api(ready: Prepared, proxies: int) -> WebApi:
    resources = role_resources(ready.resource, ready.secrets.login_key)
    database = resources["f/channels/ingress_database"]
    return WebApi(database, ready.secrets.sealing_key, proxies=proxies)


def own_origins(base_url: str) -> frozenset[str]:
    """Of this server's own pages, as this machine's browsers name them."""
    port = base_url.rpartition(":")[2]
    return frozenset({base_url, f"http://127.0.0.1:{port}", f"http://localhost:{port}"})


def start(server: Server) -> None:
    try:
        server.start()
    except PortInUse as error:
        raise CannotRun(f"{error} (--port NUMBER; 0 picks a free one)") from error
    except OSError as error:
        raise CannotRun(f"cannot listen there: {error.strerror}. Choose another --host.") from error


def internal_url(base_url: str) -> str:
    """Steps call the server from this machine, also when it listens on every address."""
    return base_url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
