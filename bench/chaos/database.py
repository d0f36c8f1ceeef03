"""The run's own Postgres: a fresh database, stops and starts, and what is left to do in it."""

import asyncio
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2

from bench.chaos.journal import Journal
from local import cluster
from local.cluster_home import ClusterHome, find_home
from local.migrations import connection_to
from local.postmaster import server_process

UNFINISHED = """
select (select count(*) from inbound_messages where state in ('waiting', 'taken'))
     + (select count(*) from turns where state in ('thinking', 'answered'))
     + (select count(*) from outbound_messages where state in ('ready', 'sending'))
     + (select count(*) from webhook_deliveries where accepted_at is null)
"""
CONTACTS = """
select conversations.id::text, contacts.contact_key
  from conversations join contacts on contacts.id = conversations.contact_id
"""


class Database:
    """`stop_and_start` is for the embedded server only: it belongs to this run alone."""

    def __init__(self, resource: dict, state: Path, journal: Journal):
        self.resource = resource
        self._state = state
        self._journal = journal
        self.is_up = True

    async def stop_and_start(self, how: str, down_seconds: float) -> None:
        stopped_at = time.monotonic()
        self.is_up = False
        home = find_home(self._state)
        await asyncio.to_thread(stop, home, how)
        await asyncio.sleep(down_seconds)
        await asyncio.to_thread(cluster.start, home)
        self.is_up = True
        self._journal.database_stops.append((stopped_at, time.monotonic()))

    async def unfinished(self) -> int | None:
        """Rows that somebody still has to work at; None while nobody can say."""
        rows = await self.rows(UNFINISHED)
        return rows[0][0] if rows else None

    async def contacts(self) -> dict[str, str]:
        return dict(await self.rows(CONTACTS))

    async def rows(self, query: str, *values) -> list[tuple]:
        return await asyncio.to_thread(self._rows, query, values)

    def _rows(self, query: str, values: tuple) -> list[tuple]:
        with suppress(psycopg2.OperationalError, psycopg2.InterfaceError):
            with connection_to(self.resource) as conn, conn.cursor() as cursor:
                cursor.execute(query, values or None)
                return cursor.fetchall()
        return []


def stop(home: ClusterHome, how: str) -> None:
    if how == "killed":
        server_process(home.data).kill()
    else:
        cluster.postgres_program(home, "pg_ctl", "stop", "-w", "-m", "immediate")


@contextmanager
def changed(resource: dict):
    """A cursor whose statements are committed together."""
    with connection_to(resource) as connection, connection.cursor() as cursor:
        yield cursor
        connection.commit()
