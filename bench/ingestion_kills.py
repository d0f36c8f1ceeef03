"""Kill the reading of sources at every boundary, by real processes, and look what can be searched.

A boundary is each statement and each commit that a run sends to Postgres: the process kills itself
there with SIGKILL. In between, runs are killed from outside after a random time.
"""

import multiprocessing
import os
import random
import signal
import time
from dataclasses import dataclass, field

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from bench.warm_workspace import WORKSPACE
from f.knowledge import store
from local.ingesting import read_source, reading
from local.migrations import connection_to

# Several batches of each step that works in batches.
CHUNKS = 230
LONGEST_RUN_SECONDS = 60
KILLED_FROM_OUTSIDE_SHARE = 0.2
# A prime: few kills are spread over the whole run, many reach every boundary.
STRIDE = 1009
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["bench.ingestion_kills"])

# What a search could find, version by version.
SEARCHED = """
select documents.id::text, array_agg(chunks.content order by chunks.position),
       array_agg(chunks.position order by chunks.position)
  from documents join chunks on chunks.document_id = documents.id
 where documents.source_id = %s and documents.is_active
 group by documents.id
"""
LEFT = """
select (select count(*) from documents
         where source_id = %(id)s and not is_active
           and id not in (select document_id from ingestions where outcome = 'ready')),
       (select count(*) from ingestion_chunks), (select count(*) from ingestion_sections)
"""


class Boundary:
    """Counts what a run sends, and ends it before the one with that number."""

    def __init__(self, last: int | None):
        self.last = last
        self.passed = 0

    def reach(self) -> None:
        self.passed += 1
        if self.passed == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def connect(self, **how) -> Connection:
        boundary = self

        class CountedCursor(Cursor):
            def execute(self, *given):
                boundary.reach()
                return super().execute(*given)

        class CountedConnection(Connection):
            def commit(self):
                boundary.reach()
                super().commit()
                boundary.reach()

            def cursor(self, *given, **more):
                return super().cursor(*given, cursor_factory=CountedCursor, **more)

        return CONNECT(connection_factory=CountedConnection, **how)


CONNECT = psycopg2.connect


def run(resource: dict, model: dict, source_id: str, last: int | None, told) -> None:
    """In a process of its own; `told` gets the number of boundaries of a run that ended."""
    boundary = Boundary(last)
    psycopg2.connect = boundary.connect
    with reading(resource, model, WORKSPACE) as engine:
        read_source(engine, source_id, "the source")
    told.send(boundary.passed)


@dataclass
class Report:
    kills: int = 0
    boundaries: int = 0
    half_documents: int = 0
    duplicate_chunks: int = 0
    orphans: int = 0
    not_finished: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        found = self.half_documents + self.duplicate_chunks + self.orphans + self.not_finished
        return found == 0 and not self.findings


class Kills:
    def __init__(self, resource: dict, steps_resource: dict, model: dict, seed: int):
        self._resource, self._steps, self._model = resource, steps_resource, model
        self._chance = random.Random(seed)
        self.report = Report()

    def run(self, organization_id: str, kills: int) -> Report:
        version = 0
        source_id = self._upload(organization_id, version)
        self.report.boundaries = self._start(source_id, None) or 0
        while self.report.kills < kills:
            version += 1
            self._upload(organization_id, version)
            self._kill_some(source_id, version, min(3, kills - self.report.kills))
            if self._start(source_id, None) is None:
                self.report.not_finished += 1
            self._look(source_id, {text_of(version)}, is_ended=True)
        return self.report

    def _upload(self, organization_id: str, version: int) -> str:
        with connection_to(self._resource) as connection:
            content = text_of(version).encode()
            source_id = store.add_source(connection, organization_id, "a.md", content)
            connection.commit()
        return source_id

    def _kill_some(self, source_id: str, version: int, most: int) -> None:
        """Runs that continue each other, each killed: what is searched is one whole version."""
        for _ in range(most):
            boundary = self.report.kills * STRIDE % self.report.boundaries + 1
            if self._start(source_id, boundary) is None:
                self.report.kills += 1
            self._look(source_id, {text_of(version - 1), text_of(version)})

    def _start(self, source_id: str, last: int | None) -> int | None:
        """How many boundaries the run passed; None when it was killed."""
        hear, tell = PROCESSES.Pipe(duplex=False)
        arguments = (self._steps, self._model, source_id, last, tell)
        process = PROCESSES.Process(target=run, args=arguments)
        process.start()
        tell.close()
        if last and self._chance.random() < KILLED_FROM_OUTSIDE_SHARE:
            time.sleep(self._chance.uniform(0.3, 1.5))
            process.kill()
        process.join(LONGEST_RUN_SECONDS)
        process.kill()
        return hear.recv() if process.exitcode == 0 else None

    def _look(self, source_id: str, allowed: set[str], is_ended: bool = False) -> None:
        with connection_to(self._resource) as connection, connection.cursor() as cursor:
            cursor.execute(SEARCHED, [source_id])
            searched = cursor.fetchall()
            cursor.execute(LEFT, {"id": source_id})
            left = cursor.fetchone()
        for _, contents, positions in searched:
            self.report.duplicate_chunks += len(positions) - len(set(positions))
            self.report.duplicate_chunks += len(contents) - len(set(contents))
            whole = {tuple(paragraphs(text)) for text in allowed}
            self.report.half_documents += tuple(contents) not in whole
        self.report.half_documents += len(searched) != 1
        if is_ended:
            self.report.orphans += sum(left)


def text_of(version: int) -> str:
    """A third of its paragraphs is the same in every version."""
    numbers = range(CHUNKS)
    return "\n\n".join(
        f"# Part {n}\n\nParagraph {n} of version {version if n % 3 else 'any'}." for n in numbers
    )


def paragraphs(text: str) -> list[str]:
    return [part for part in text.split("\n\n") if not part.startswith("#")]
