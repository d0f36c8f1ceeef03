"""The database and the things in it that most tests stand on."""

import base64
import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import psycopg2
import pytest
from psycopg2 import sql

import f.shared.db as db
from local.logins import role_resources
from local.migrations import migrate
from local.postgres import data_source_name
from local.scratch_postgres import open_scratch_postgres
from runner.job_environment import process_environ
from tests.fake_graph import FakeGraph
from tests.fake_windmill import FakeWindmill
from tests.scripted_model import ScriptedModel

ORGANIZATION_ID = "0a000000-0000-4000-8000-000000000001"
CHATBOT_ID = "0b000000-0000-4000-8000-000000000001"
CHANNEL_ID = "0c000000-0000-4000-8000-000000000001"

# Of this process: pytest and the tests import this file as two modules.
LOGIN_KEY = f"{os.getpid():064x}"
SEALING_KEY = base64.b64encode(bytes(range(32))).decode()

# One that DATABASE_URL names: its settings stay as they are. On ours, which knows no fsync, files
# are copied without the log; elsewhere the two checkpoints of such a copy would be waited for.
IS_OWN_SERVER = bool(os.environ.get("DATABASE_URL"))
COPY = "create database {} template template_chatmill"
COPY_FILES = COPY + " strategy file_copy"
# Databases live for a second each, and are dropped by the dozen.
MOST_LEFT = 10

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres():
    """A server with `template_chatmill`, migrated and seeded once."""
    with open_scratch_postgres("tests") as (_, server):
        _forget_durability(server)
        template = server.database("template_chatmill")
        migrate(template)
        _make_small(template)
        yield server
        with _maintenance(server) as run:
            run("drop database template_chatmill with (force)")


@pytest.fixture(scope="session")
def logins(postgres) -> Iterator[dict[str, dict]]:
    """With what the steps of each folder log in, by Windmill's paths."""
    found = role_resources(postgres.database("template_chatmill"), LOGIN_KEY)
    yield {path: {"user": one["user"], "password": one["password"]} for path, one in found.items()}
    with _maintenance(postgres) as run:
        for login in found.values():
            run("drop role {}", login["user"])


@pytest.fixture(scope="session")
def own_database(postgres):
    """own_database() is a context with the owner's resource of a database that is migrated and
    seeded."""
    left = []

    @contextmanager
    def make() -> Iterator[dict]:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        run(COPY if IS_OWN_SERVER else COPY_FILES, name)
        # A copy takes everything over but the rights on the database itself.
        run("revoke create, temporary on database {} from public", name)
        yield {**postgres.resource, "dbname": name}
        _close_idle_connections(name)
        left.append(name)
        if len(left) > MOST_LEFT:
            drop(left[:-1])

    def drop(names: list[str]) -> None:
        """Not the last: Postgres waits 100 ms where it sees a connection that is still ending."""
        for name in names:
            run("drop database {} with (force)", name)
            left.remove(name)

    with _maintenance(postgres) as run:
        yield make
        drop([*left])


@pytest.fixture
def owner(own_database) -> Iterator[dict]:
    """The resource, for whoever migrates and installs, of the test's own database; steps commit,
    so a rolled back transaction would not do."""
    with own_database() as resource:
        yield resource


def _close_idle_connections(database_name: str) -> None:
    """A process that outlives its databases would hold a socket for each for ever."""
    for key in [key for key in db._idle if ("dbname", database_name) in key]:
        for connection in db._idle.pop(key):
            connection.close()


class StepsDatabase(dict):
    """A resource of a runtime role that still knows its owner's, for what a test sets up."""

    owner: dict


@pytest.fixture
def databases(owner, logins) -> dict[str, StepsDatabase]:
    """The same database as the steps of each folder reach it, by Windmill's paths."""
    found = {path: StepsDatabase({**owner, **login}) for path, login in logins.items()}
    for resource in found.values():
        resource.owner = owner
    return found


@pytest.fixture
def database(databases) -> dict:
    """For the steps of f/chat."""
    return databases["f/chat/app_database"]


@pytest.fixture
def operations_database(databases) -> dict:
    """For the steps of f/ops."""
    return databases["f/ops/operations_database"]


@pytest.fixture
def knowledge_database(databases) -> dict:
    """For the steps of f/knowledge."""
    return databases["f/knowledge/knowledge_database"]


@pytest.fixture
def conn(owner):
    """The owner's connection, which sees every organization and commits each statement."""
    with connected(owner) as connection:
        connection.autocommit = True
        yield connection


@contextmanager
def connected(database: dict):
    """As the owner, whichever role's resource is given."""
    connection = psycopg2.connect(data_source_name(getattr(database, "owner", database)))
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture
def other(database):
    """A second connection whose transaction stays open until the test ends it."""
    with connected(database) as connection:
        yield connection


@pytest.fixture
def later():
    """later(function, *arguments) runs it on a thread: it may have to wait for a lock."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


@pytest.fixture
def query(conn):
    """query(text, *values) -> rows"""

    def run(text: str, *values) -> list[tuple]:
        with conn.cursor() as cursor:
            cursor.execute(text, values or None)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def arrive(query):
    """arrive(text, ...) stores one message as the webhook would: (outcome, conversation id,
    seconds until its flow)."""

    def store(text="Hello", message_id=None, contact_key="15550001", channel_id=CHANNEL_ID):
        return query(
            "select outcome, conversation_id::text, wait_seconds from"
            " accept_message(%s, %s, null, 'Ada', %s, 'text', %s, null, null, now())",
            channel_id,
            contact_key,
            message_id or f"wamid.{next(_numbers)}",
            text,
        )[0]

    return store


def _forget_durability(postgres) -> None:
    """These databases live for a second each; fsync would be most of it."""
    if not IS_OWN_SERVER:
        with _maintenance(postgres) as run:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                run("alter system set {} = off", setting)
            run("select pg_reload_conf()")


def _make_small(template: dict) -> None:
    """What the migrations left in the catalogue would be copied each time; tables of ours stay as
    a new installation's are, never vacuumed. The last connection leaves the file that the first to
    each copy would have to make."""
    with connected(template) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(
            "select string_agg(oid::regclass::text, ', ') from pg_class"
            " where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r'"
        )
        cursor.execute(f"vacuum full {cursor.fetchone()[0]}")
    with connected(template):
        pass


@contextmanager
def _maintenance(postgres):
    """run(statement, *names), each in a transaction of its own."""
    with closing(postgres.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = True

        def run(statement: str, *names: str) -> None:
            cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

        yield run


@pytest.fixture
def windmill(httpserver, databases, monkeypatch):
    """The routes of Windmill that steps call; `windmill.started` lists the flows they started."""
    fake = FakeWindmill(httpserver, databases, SEALING_KEY)
    base_url = httpserver.url_for("").rstrip("/")
    # Beside a running engine os.environ also answers with what its jobs share: undone by what
    # was read there, a test would leave that engine's values to all that follow.
    names = {"BASE_INTERNAL_URL": base_url, "WM_WORKSPACE": "chatmill", "WM_TOKEN": "token"}
    for name, value in names.items():
        monkeypatch.setitem(process_environ, name, value)
    monkeypatch.setattr("f.shared.windmill._kept", {})
    return fake


@pytest.fixture
def model(httpserver, monkeypatch):
    """A model that says what a test scripted: model.will(calls("knowledge", ...), says("...")).
    `model.resource` is what a step takes, `model.requests` what it was asked. It is asked again
    without a pause."""
    monkeypatch.setattr("f.agent.model_chain.FIRST_PAUSE_SECONDS", 0.001)
    return ScriptedModel(httpserver)


@pytest.fixture
def whatsapp(httpserver, query):
    """The Graph API: keeps what it accepted in `whatsapp.accepted`. The seeded WhatsApp channel
    is connected to it, its secrets sealed."""
    return FakeGraph(httpserver, query, SEALING_KEY, CHANNEL_ID)
