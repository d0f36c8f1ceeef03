"""Postgres for every command: the embedded one by default, your own through DATABASE_URL."""

import os
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn, parse_dsn

from local.errors import CannotRun

OLDEST_VERSION = 15


class Postgres:
    """A server that is running, and the resource with which its database is reached."""

    def __init__(self, resource: dict, cluster=None):
        self.resource = resource
        self._cluster = cluster

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def connect(self):
        return psycopg2.connect(data_source_name(self.resource))

    def database(self, name: str) -> dict:
        """The resource of another database on the same server, made when it is missing."""
        connection = self.connect()
        connection.autocommit = True
        try:
            create_database(connection, name)
        finally:
            connection.close()
        return {**self.resource, "dbname": name}

    def close(self) -> None:
        """Leave; whoever leaves last stops the embedded server."""
        if self._cluster is not None:
            self._cluster.leave()
            self._cluster = None


def open_postgres(state_dir: Path, database: str = "chatmill") -> Postgres:
    """Start or join the server; `state_dir` is where the embedded one lives."""
    if os.environ.get("DATABASE_URL"):
        return open_own(os.environ["DATABASE_URL"])
    from local.cluster import Cluster

    cluster = Cluster(Path(state_dir))
    maintenance = Postgres(embedded_resource(cluster.join(), "postgres"), cluster)
    return Postgres(maintenance.database(database), cluster)


def embedded_resource(socket_folder: Path, database: str) -> dict:
    return {
        "host": str(socket_folder),
        "port": 5432,
        "user": "postgres",
        "password": "",
        "dbname": database,
        "sslmode": "disable",
    }


def open_own(url: str) -> Postgres:
    try:
        given = parse_dsn(url)
        connection = psycopg2.connect(url, connect_timeout=10)
    except (psycopg2.OperationalError, psycopg2.ProgrammingError) as error:
        raise CannotRun(
            f"DATABASE_URL does not lead to a Postgres: {first_line(error)}"
            " Correct it, or unset it to use the embedded Postgres."
        ) from error
    try:
        check_server(connection)
        return Postgres(own_resource(connection, given))
    finally:
        connection.close()


def own_resource(connection, given: dict) -> dict:
    info = connection.info
    return {
        "host": given.get("host") or info.host,
        "port": info.port,
        "user": info.user,
        "password": info.password or "",
        "dbname": info.dbname,
        "sslmode": given.get("sslmode", "prefer"),
    }


def check_server(connection) -> None:
    version = connection.server_version // 10000
    if version < OLDEST_VERSION:
        raise CannotRun(
            f"DATABASE_URL leads to Postgres {version}; {OLDEST_VERSION} or newer is needed."
        )
    with connection.cursor() as cursor:
        cursor.execute("select from pg_available_extensions where name = 'vector'")
        if cursor.fetchone() is None:
            raise CannotRun(
                "DATABASE_URL leads to a Postgres without pgvector. Install it on that server"
                f" (Debian: postgresql-{version}-pgvector), or unset DATABASE_URL."
            )


def create_database(connection, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select from pg_database where datname = %s", [name])
        if cursor.fetchone():
            return
        try:
            cursor.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        except psycopg2.errors.DuplicateDatabase:
            return
        except psycopg2.errors.InsufficientPrivilege as error:
            raise CannotRun(
                f"the user of DATABASE_URL may not create the database {name}."
                f' Have it made (create database "{name}"), then start again.'
            ) from error


def data_source_name(resource: dict) -> str:
    return make_dsn(
        host=resource["host"],
        port=resource["port"],
        user=resource["user"],
        password=resource["password"] or None,
        dbname=resource["dbname"],
        sslmode=resource["sslmode"],
    )


def first_line(error: Exception) -> str:
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return line if line.endswith(".") else f"{line}."
