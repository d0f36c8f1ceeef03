"""Walks two sessions through every order in which Postgres may run them.

A session is a list of statements. It stops before each of them, and inside of them before each
write to a watched table: there its statement has taken its snapshot and no lock yet, where an
update that has to wait would later see a row newer than its snapshot. Which sessions can go on is
asked at every stop; every choice is taken in some walk, so each possible order is walked once.
"""

import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ

MOST_STOPS = 30
PAUSES = """
create function walk_pause() returns trigger as $$
declare
  v_session constant integer := nullif(current_setting('walk.session', true), '');
  v_stop integer;
begin
  if v_session is not null then
    v_stop := current_setting('walk.stop')::integer + 1;
    perform set_config('walk.stop', v_stop::text, false);
    perform pg_advisory_lock(v_session, v_stop);
    perform pg_advisory_unlock(v_session, v_stop);
  end if;
  return null;
end;
$$ language plpgsql;
grant execute on function walk_pause() to public;
"""
WATCH = """
create trigger _000_walk before {events} on {table}
  for each statement execute function walk_pause()
"""
WAITING = "select pid, locktype = 'advisory' from pg_locks where not granted and pid = any(%s)"


@dataclass
class Session:
    """One connection and how far it came. `answers`: the first value of each statement's first
    row; a statement that failed answers its SQLSTATE, and the session ends there."""

    number: int
    connection: psycopg2.extensions.connection
    statements: list[str] = field(default_factory=list)
    answers: list = field(default_factory=list)
    stops: int = 0
    state: str = "ready"  # ready for its next statement | running | paused | blocked | ended

    def begin(self, statements: list[str]) -> None:
        self.statements, self.answers, self.stops, self.state = statements, [], 0, "ready"
        self._finish(f"rollback; set walk.session = {self.number}; set walk.stop = 0; begin")

    def send(self) -> None:
        self._cursor = self.connection.cursor()
        self._cursor.execute(self.statements[len(self.answers)])
        self.state = "running"

    def look(self) -> None:
        """Takes the answer if it is there."""
        try:
            if self.connection.poll() != POLL_OK:
                return
            row = self._cursor.fetchone() if self._cursor.description else None
            self.answers.append(row and row[0])
        except psycopg2.Error as error:
            self.answers.append(error.pgcode)
            self.statements = self.statements[: len(self.answers)]
        self.state = "ready" if len(self.answers) < len(self.statements) else "ended"

    def _finish(self, statement: str) -> None:
        cursor = self.connection.cursor()
        cursor.execute(statement)
        wait_for(self.connection)
        cursor.close()


def wait_for(connection) -> None:
    while (state := connection.poll()) != POLL_OK:
        ends = ([connection], []) if state == POLL_READ else ([], [connection])
        select.select(*ends, [], 1)


class Walker:
    """`observer` is an owner's connection with autocommit; `data_sources` are the two sessions'."""

    def __init__(self, observer, data_sources: list[str]):
        self._observer = observer
        self.ended: list[int] = []  # the sessions of the last walk, in the order of their ends
        self.sessions = [
            Session(number, psycopg2.connect(source, async_=True))
            for number, source in enumerate(data_sources, start=1)
        ]
        for session in self.sessions:
            wait_for(session.connection)
        self._ask(PAUSES)

    def close(self) -> None:
        for session in self.sessions:
            session.connection.close()
        self._ask("select pg_advisory_unlock_all()")

    def watch(self, *tables: str, events: str = "update") -> None:
        for table in tables:
            self._ask(WATCH.format(table=table, events=events))

    def walks(self, start: Callable[[], list[list[str]]]) -> Iterator[list[int]]:
        """`start` makes what a walk needs and gives the statements of both. Yields the order of
        each walk after it ended: which session went at every stop."""
        prefix: list[int] = []
        while True:
            trail = self._walk(start(), prefix)
            yield [chosen for chosen, _ in trail]
            while trail and trail[-1][0] == trail[-1][1][-1]:
                trail.pop()
            if not trail:
                return
            chosen, options = trail.pop()
            prefix = [one for one, _ in trail] + [options[options.index(chosen) + 1]]

    def _walk(self, statements: list[list[str]], prefix: list[int]) -> list[tuple[int, list[int]]]:
        self._ask("select pg_advisory_unlock_all()")
        self._ask(
            "select pg_advisory_lock(session, stop)"
            f" from generate_series(1, 2) as session, generate_series(1, {MOST_STOPS}) as stop"
        )
        for session, mine in zip(self.sessions, statements, strict=True):
            session.begin(mine)
        self.ended = []
        trail = []
        while options := [s.number for s in self.sessions if s.state in ("ready", "paused")]:
            chosen = prefix[len(trail)] if len(trail) < len(prefix) else options[0]
            trail.append((chosen, options))
            self._go_on(self.sessions[chosen - 1])
            self.ended += [
                s.number for s in self.sessions if s.state == "ended" and s.number not in self.ended
            ]
        return trail

    def _go_on(self, session: Session) -> None:
        if session.state == "ready":
            session.send()
        else:
            session.stops += 1
            session.state = "running"
            self._ask(f"select pg_advisory_unlock({session.number}, {session.stops})")
        self._settle()

    def _settle(self) -> None:
        """Until each session has answered, stopped, or waits for the other."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            moving = [s for s in self.sessions if s.state in ("running", "blocked")]
            select.select([s.connection for s in moving], [], [], 0.0005)
            for session in moving:
                session.look()
            moving = [s for s in moving if s.state in ("running", "blocked")]
            waiting = dict(self._ask(WAITING, [s.connection.info.backend_pid for s in moving]))
            for session in moving:
                at_a_pause = waiting.get(session.connection.info.backend_pid)
                session.state = {None: "running", True: "paused", False: "blocked"}[at_a_pause]
            if all(s.state != "running" for s in moving):
                if len(moving) < 2 or any(s.state == "paused" for s in moving):
                    return
        raise AssertionError("two sessions wait for each other")

    def _ask(self, text: str, *values) -> list[tuple]:
        with self._observer.cursor() as cursor:
            cursor.execute(text, values or None)
            return cursor.fetchall() if cursor.description else []
