"""Migrations: gapless, reversible, and adding up to db/schema.sql."""

import os
import re
import subprocess

import pytest

from local.cluster_home import wheel_programs
from local.migrations import MIGRATIONS, SEED, migrate, roll_back
from local.places import ROOT
from tests.conftest import connected

SCHEMA = ROOT / "db" / "schema.sql"
FORWARD = sorted(p for p in MIGRATIONS.glob("*.sql") if not p.name.endswith(".rollback.sql"))


def objects(database) -> list:
    with connected(database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relname !~ 'yoyo'"
            " union all select proname from pg_proc where pronamespace = 'public'::regnamespace"
            " and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')"
        )
        return [name for (name,) in cursor]


def test_migrations_are_numbered_without_a_gap_and_named_by_topic():
    for number, path in enumerate(FORWARD, start=1):
        assert re.fullmatch(rf"{number:04d}_[a-z]+(_[a-z]+)*\.sql", path.name)


def test_every_migration_can_be_undone(owner):
    roll_back(owner, len(FORWARD))

    assert objects(owner) == []


def test_migrating_again_does_no_harm(owner):
    before = objects(owner)

    assert migrate(owner) == []
    assert objects(owner) == before


def test_plain_psql_runs_the_same_files(postgres):
    database = postgres.database(f"psql_{os.getpid()}")

    for path in [*FORWARD, SEED]:
        psql(database, "-1", "-v", "ON_ERROR_STOP=1", "-q", "-f", str(path))

    assert "claim_conversation" in objects(database)


def test_seeding_twice_changes_nothing(owner, query):
    migrate(owner)

    assert query("select count(*) from organizations") == [(1,)]


def test_the_migrations_add_up_to_schema_sql(owner):
    dumped = schema_of(owner)
    if os.environ.get("GOLDEN") == "write":
        SCHEMA.write_text(dumped)

    assert dumped == SCHEMA.read_text(), "run GOLDEN=write ./chatmill test -k schema_sql"


def schema_of(database) -> str:
    dump = subprocess.run(
        [
            wheel_programs() / "pg_dump",
            *("--schema-only", "--no-owner", "--no-privileges", "--schema=public"),
            *("--exclude-table=*yoyo*", "--host", database["host"], "--username", "postgres"),
            database["dbname"],
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    # What differs from one server or run to the next says nothing about our schema.
    noise = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)\n", re.M)
    return re.sub(r"\n{3,}", "\n\n", noise.sub("", dump)).strip() + "\n"


def psql(database, *arguments: str) -> None:
    if not database["host"].startswith("/"):
        pytest.skip("psql is run against the embedded server only")
    subprocess.run(
        [
            wheel_programs() / "psql",
            "-h",
            database["host"],
            "-U",
            "postgres",
            *arguments,
            database["dbname"],
        ],
        check=True,
        capture_output=True,
    )
