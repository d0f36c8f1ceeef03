"""Run a PostgreSQL-language step: each statement its own transaction, unless it says begin."""

import queue
import threading

import psycopg2
from psycopg2 import extensions

from runner import sql_text, sql_values
from runner.failures import step_failed
from runner.steps import Step

CONNECT_SECONDS = 10
_SESSION = "-c TimeZone=UTC -c IntervalStyle=iso_8601 -c DateStyle=ISO -c bytea_output=hex"


class SqlSteps:
    """Windmill's native worker: no process; connections are kept, and cleaned before reuse."""

    def __init__(self, resource):
        self._resource = resource
        self._kept: dict[tuple, queue.SimpleQueue] = {}
        self._parsed: dict[str, sql_text.SqlScript] = {}
        self._lock = threading.Lock()

    def run(self, step: Step):
        script = self._parse(step.code.content)
        database = self._database(script, step)
        try:
            connection = self._connect(database)
        except psycopg2.Error as exc:
            sentence = f"execution error:\nError: error connecting to server: {exc}"
            raise step_failed(sentence, step.step_id) from exc
        step.job.on_stop(connection.cancel)
        try:
            return _collect(connection, script, step)
        except (psycopg2.Error, sql_values.NoSuchText) as exc:
            raise step_failed(f"execution error:\nError: {_sentence(exc)}", step.step_id) from exc
        finally:
            step.job.off_stop(connection.cancel)
            self._keep(database, connection, step)

    def stop(self) -> None:
        for kept in self._kept.values():
            while not kept.empty():
                kept.get_nowait().close()

    def _parse(self, content: str) -> sql_text.SqlScript:
        if content not in self._parsed:
            self._parsed[content] = sql_text.parse(content)
        return self._parsed[content]

    def _database(self, script: sql_text.SqlScript, step: Step) -> dict:
        database = step.args.get("database")
        if script.database:
            database = self._resource(script.database)
        if not isinstance(database, dict):
            raise step_failed(
                "execution error:\nBad request: Missing database argument", step.step_id
            )
        return database

    def _connect(self, database: dict):
        kept = self._queue(database)
        while not kept.empty():
            connection = kept.get_nowait()
            try:
                with connection.cursor() as cursor:
                    cursor.execute("discard all")
                return connection
            except psycopg2.Error:
                # The server went away meanwhile; a new connection will tell whether it is back.
                connection.close()
        return _open(database)

    def _keep(self, database: dict, connection, step: Step) -> None:
        """A stopped job's connection is not kept: the cancellation may still be on its way."""
        idle = extensions.TRANSACTION_STATUS_IDLE
        is_clean = not connection.closed and connection.info.transaction_status == idle
        if step.job.is_stopped or not is_clean:
            connection.close()
        else:
            self._queue(database).put(connection)

    def _queue(self, database: dict) -> queue.SimpleQueue:
        key = tuple(sorted((name, str(value)) for name, value in database.items()))
        with self._lock:
            return self._kept.setdefault(key, queue.SimpleQueue())


def _open(database: dict):
    connection = psycopg2.connect(
        host=database.get("host"),
        port=database.get("port") or 5432,
        user=database.get("user") or "postgres",
        password=database.get("password") or None,
        dbname=database.get("dbname"),
        sslmode=database.get("sslmode") or "prefer",
        options=_SESSION,
        connect_timeout=CONNECT_SECONDS,
    )
    connection.autocommit = True
    sql_values.register_json_types(connection)
    return connection


def _collect(connection, script: sql_text.SqlScript, step: Step):
    literals = _literals(script, step.args)
    answers = []
    with connection.cursor() as cursor:
        if step.timeout_seconds:
            cursor.execute(f"set statement_timeout = {step.timeout_seconds * 1000:.0f}")
        for statement in script.statements:
            cursor.execute(sql_text.substitute(statement, literals))
            answers.append(_rows(cursor, script.collection))
    if script.collection.startswith("all_statements"):
        return answers
    return answers[-1] if answers else []


def _literals(script: sql_text.SqlScript, args: dict) -> dict[int, str]:
    literals = {}
    for number, parameter in script.parameters.items():
        value = args.get(parameter.name, parameter.default)
        literals[number] = sql_values.literal(value, parameter.type, parameter.is_typed)
    return literals


def _rows(cursor, collection: str):
    rows = cursor.fetchall() if cursor.description else []
    names = [column.name for column in cursor.description or ()]
    if "first_row" in collection:
        rows = rows[:1]
    if collection.endswith("_scalar"):
        values = [row[0] if row else None for row in rows]
    else:
        values = [dict(zip(names, row, strict=True)) for row in rows]
    if "first_row" in collection:
        return values[0] if values else None
    return values


def _sentence(exc: psycopg2.Error | sql_values.NoSuchText) -> str:
    """As tokio-postgres words a database error: no SQLSTATE, so steps cannot decide on one."""
    diagnostics = getattr(exc, "diag", None)
    if diagnostics is None or diagnostics.message_primary is None:
        return str(exc).strip()
    sentence = f"db error: {diagnostics.severity}: {diagnostics.message_primary}"
    for label, text in (("DETAIL", diagnostics.message_detail), ("HINT", diagnostics.message_hint)):
        sentence += f"\n{label}: {text}" if text else ""
    return sentence
