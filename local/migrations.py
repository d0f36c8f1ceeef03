"""Bring a database to this version: db/migrations in order, then db/seed.sql."""

import argparse
from contextlib import contextmanager
from urllib.parse import quote, urlencode

import psycopg2
import yoyo

from local.errors import CannotRun
from local.places import ROOT, STATE
from local.postgres import data_source_name, first_line, open_postgres

MIGRATIONS = ROOT / "db" / "migrations"
SEED = ROOT / "db" / "seed.sql"

# Any constant, but the same in every process that prepares a database.
PREPARING = 0x43_48_41_54


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    with open_postgres(STATE) as postgres:
        if options.rollback:
            report("rolled back", roll_back(postgres.resource, options.rollback))
        else:
            report("applied", migrate(postgres.resource))
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chatmill migrate", description=__doc__)
    parser.add_argument(
        "--rollback", type=int, metavar="N", help="undo the last N migrations (their data is lost)"
    )
    return parser.parse_args(arguments)


def report(done: str, names: list[str]) -> None:
    for name in names:
        print(f"{done} {name}")
    if not names:
        print("nothing to do: the database is up to date")


def migrate(resource: dict) -> list[str]:
    """Apply what is missing and seed; safe to run at the same time in several processes."""
    with alone(resource), backend(resource) as database:
        missing = database.to_apply(yoyo.read_migrations(str(MIGRATIONS)))
        try:
            database.apply_migrations(missing)
        except psycopg2.Error as error:
            raise CannotRun(f"a migration failed: {first_line(error)}") from error
        seed(resource)
        return [migration.id for migration in missing]


def roll_back(resource: dict, count: int) -> list[str]:
    with alone(resource), backend(resource) as database:
        last = database.to_rollback(yoyo.read_migrations(str(MIGRATIONS)))[:count]
        database.rollback_migrations(last)
        return [migration.id for migration in last]


def seed(resource: dict) -> None:
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(SEED.read_text())
        connection.commit()


@contextmanager
def connection_to(resource: dict):
    connection = psycopg2.connect(data_source_name(resource))
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def alone(resource: dict):
    """One process at a time. yoyo's own lock is a row and stays behind when its owner is killed."""
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [PREPARING])
        yield


@contextmanager
def backend(resource: dict):
    user, password = quote(resource["user"], ""), quote(resource["password"], "")
    place = {key: resource[key] for key in ("host", "port", "sslmode")}
    database = yoyo.get_backend(
        f"postgresql://{user}:{password}@/{resource['dbname']}?{urlencode(place)}"
    )
    try:
        yield database
    finally:
        database.connection.close()
