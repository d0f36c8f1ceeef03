"""./chatmill bench isolation: random hostile statements as the real roles; foreign rows seen."""

import argparse
import json
import multiprocessing
import random
import re
import secrets
import statistics
import sys
import time
from collections import Counter

import psycopg2

from bench.attacks import FUNCTIONS, READABLE, Attacker
from bench.canaries import World, fill
from f.shared.db import FORGET_SESSION
from local.logins import role_resources
from local.migrations import connection_to, migrate
from local.places import STATE
from local.postgres import data_source_name, open_postgres
from local.secrets_file import load_secrets

ORGANIZATIONS = 20
PROCESSES = 2
BATCH = 50
CANARY = re.compile(r"canary(\d{3})x")
ENTRANCES = {
    "f/chat/app_database": "select 1 from enter_turn('{turns}', 0)",
    "f/knowledge/knowledge_database": "select enter_source('{sources}')",
    "f/channels/ingress_database": None,
    "f/ops/operations_database": None,
}
# Most of what is attacked is what most steps are.
WEIGHTS = [6, 2, 1, 1]

# Many attempts a round trip; each is undone, so that the next finds what the first found.
RUN_ATTEMPTS = """
create schema attempts;
grant usage on schema attempts to public;
create function attempts.run(p_statements text[]) returns setof text as $$
declare
  v_statement text;
  v_seen text;
  v_message text;
  v_detail text;
  v_hint text;
begin
  foreach v_statement in array p_statements loop
    begin
      execute v_statement into v_seen;
      raise exception using errcode = 'UNDO1';
    exception
      when sqlstate 'UNDO1' then
        return next 'seen ' || coalesce(v_seen, '');
      when others then
        get stacked diagnostics v_message = message_text, v_detail = pg_exception_detail,
          v_hint = pg_exception_hint;
        return next sqlstate || ' ' || concat_ws(' ', v_message, v_detail, v_hint);
    end;
  end loop;
end;
$$ language plpgsql volatile;
"""
# Straight on the wire: what a function can't do, and what would outlive the transaction.
ON_THE_WIRE = [
    "commit; begin; select string_agg(t::text, ' ') from messages t",
    "rollback; begin; select set_config('chatmill.ticket', '{ticket}', false);"
    " select string_agg(t::text, ' ') from messages t",
    "commit; select set_config('chatmill.ticket', '{ticket}', false)",
    "declare kept cursor with hold for select * from messages; commit; begin; fetch all kept",
    "prepare stolen as select t::text from messages t; commit; begin; execute stolen",
    "explain (analyze, verbose) select * from messages where body like 'canary%'",
    "set session row_security = off; commit; begin; select t::text from messages t",
    "set session chatmill.ticket = '{ticket}'; commit",
    "set role chatmill_worker; commit; begin; select string_agg(t::text, ' ') from messages t",
    "set session search_path = pg_catalog; commit",
    "select pg_advisory_lock(1); commit",
    "listen canary; notify canary, '{ticket}'; commit",
    "select string_agg(query, ' ') from pg_stat_activity",
]


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    with open_postgres(STATE) as postgres:
        resource = fresh_database(postgres)
        report = attack(resource, load_secrets(STATE).login_key, options.queries, options.seed)
        report["overhead"] = overhead(resource, load_secrets(STATE).login_key)
    print(json.dumps(report, indent=2) if options.json else sentences(report))
    return 1 if report["foreign_rows"] else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chatmill bench isolation", description=__doc__)
    parser.add_argument("--queries", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    return parser.parse_args(arguments)


def fresh_database(postgres) -> dict:
    name = f"{postgres.resource['dbname']}_isolation"
    with connection_to(postgres.resource) as connection:
        connection.autocommit = True
        connection.cursor().execute(f'drop database if exists "{name}" with (force)')
    resource = postgres.database(name)
    migrate(resource)
    return resource


def attack(resource: dict, login_key: str, queries: int, seed: int) -> dict:
    """The database is filled and attacked; nothing that it holds is of use afterwards."""
    with connection_to(resource) as connection:
        world = fill(connection, ORGANIZATIONS)
        with connection, connection.cursor() as cursor:
            cursor.execute(RUN_ATTEMPTS)
            cursor.execute("analyze")
    started = time.monotonic()
    databases = role_resources(resource, login_key)
    tasks = [
        (world, databases, queries // PROCESSES, seed * PROCESSES + number)
        for number in range(PROCESSES)
    ]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        counts = sum(pool.starmap(attack_alone, tasks), Counter())
    findings = sorted(key for key in counts if key.startswith("foreign"))
    return {
        "queries": counts["queries"],
        "seed": seed,
        "tables": len(world.rows),
        "functions": {k: v for k, v in counts.items() if k.startswith("functions")},
        "own_rows_seen": counts["own"],
        "foreign_rows": sum(counts[key] for key in findings),
        "findings": findings[:20],
        "refused": {k: v for k, v in counts.most_common() if re.fullmatch("[0-9A-Z]{5}", k)},
        "seconds": round(time.monotonic() - started, 1),
    }


def attack_alone(world: World, databases: dict, queries: int, seed: int) -> Counter:
    chance, counts = random.Random(seed), Counter()
    connections, attackers = {}, {}
    for path, resource in databases.items():
        connections[path] = psycopg2.connect(data_source_name(resource))
        attackers[path] = attacker(connections[path], world, resource["user"], chance)
        counts[f"functions of {path}"] = len(attackers[path].functions)
    while counts["queries"] < queries:
        path = chance.choices(list(ENTRANCES), WEIGHTS)[0]
        connection = connections[path]
        # Nine of ten transactions have proved an organization, where the role can.
        me = chance.randrange(ORGANIZATIONS) if ENTRANCES[path] and chance.random() < 0.9 else None
        one_transaction(connection, attackers[path], path, me, counts)
        if connection.closed:
            connections[path] = psycopg2.connect(data_source_name(databases[path]))
    return counts


def attacker(connection, world: World, user: str, chance: random.Random) -> Attacker:
    with connection, connection.cursor() as cursor:
        cursor.execute(FUNCTIONS, [user])
        functions = cursor.fetchall()
        cursor.execute(READABLE, [list(world.rows)])
        readable = [table for (table,) in cursor]
    return Attacker(world, functions, readable or list(world.rows), chance)


def one_transaction(connection, attempts: Attacker, path: str, me, counts: Counter) -> None:
    chance = attempts.random
    with connection.cursor() as cursor:
        ticket = ""
        if me is not None:
            ids = {table: attempts.world.rows[table][me]["id"] for table in ("turns", "sources")}
            cursor.execute(ENTRANCES[path].format(**ids))
            cursor.execute("select current_setting('chatmill.ticket')")
            ticket = cursor.fetchone()[0]
        if chance.random() < 0.2:
            statements = [chance.choice(ON_THE_WIRE).replace("{ticket}", ticket)]
            seen = [on_the_wire(cursor, statements[0])]
        else:
            statements = [attempts.statement(me, ticket) for _ in range(BATCH)]
            cursor.execute("select * from attempts.run(%s)", [statements])
            seen = [row[0] for row in cursor.fetchall()]
        for statement, answer in zip(statements, seen, strict=True):
            judge(answer, statement, path, me, counts)
    connection.rollback()
    with connection, connection.cursor() as cursor:
        cursor.execute(FORGET_SESSION)  # as the steps' pool does


def on_the_wire(cursor, statement: str) -> str:
    try:
        cursor.execute(statement)
        return f"seen {cursor.fetchall() if cursor.description else ''}"
    except psycopg2.Error as error:
        return f"{error.pgcode} {error}"


def judge(answer: str, statement: str, path: str, me: int | None, counts: Counter) -> None:
    counts["queries"] += 1
    if not answer.startswith("seen"):
        counts[answer[:5]] += 1
    # What the statement itself said is no news.
    said = set(CANARY.findall(statement))
    canaries = {int(number) for number in set(CANARY.findall(answer)) - said}
    counts["own"] += me in canaries
    if canaries - {me}:
        counts[f"foreign: {path} as {me} saw {sorted(canaries)} by {statement}"] += 1


QUERIES = {
    "one row by its id": "select body from messages where id = {messages}",
    "a turn and its five tables": """
        select turns.id, organizations.name, chatbots.name, channels.kind
          from turns
          join conversations on conversations.id = turns.conversation_id
          join channels on channels.id = conversations.channel_id
          join chatbots on chatbots.id = channels.chatbot_id
          join organizations on organizations.id = turns.organization_id
         where turns.id = '{turns}'""",
}


def overhead(resource: dict, login_key: str) -> dict:
    """Microseconds of the same query without policies (a superuser) and with them, in turns."""
    worker = role_resources(resource, login_key)["f/chat/app_database"]
    with connection_to(resource) as plain, connection_to(worker) as isolated:
        with plain.cursor() as cursor:
            cursor.execute("select turns.id, messages.id, turns.organization_id from turns"
                           " join messages on messages.turn_id = turns.id limit 1")  # fmt: skip
            turn_id, message_id, _ = cursor.fetchone()
        isolated.cursor().execute("select 1 from enter_turn(%s, 0)", [turn_id])
        found = {}
        for name, query in QUERIES.items():
            text = query.format(turns=turn_id, messages=message_id)
            times: dict[str, list[float]] = {"without_us": [], "with_us": []}
            for _ in range(1000):
                times["without_us"].append(microseconds(plain, text))
                times["with_us"].append(microseconds(isolated, text))
            found[name] = {each: round(statistics.median(t)) for each, t in times.items()}
        isolated.rollback()
    return found


def microseconds(connection, query: str) -> float:
    with connection.cursor() as cursor:
        started = time.perf_counter()
        cursor.execute(query)
        cursor.fetchall()
        return (time.perf_counter() - started) * 1e6


def sentences(report: dict) -> str:
    refusals = ", ".join(f"{code} {number:,}" for code, number in report["refused"].items())
    lines = [
        f"{report['queries']:,} statements in {report['seconds']} s (seed {report['seed']}),"
        f" {report['tables']} tables of {ORGANIZATIONS} organizations:"
        f" {report['foreign_rows']} foreign rows, {report['own_rows_seen']:,} times own ones.",
        *report["findings"],
        f"Refused: {refusals}.",
    ]
    for name, times in report["overhead"].items():
        lines.append(f"{name}: {times['without_us']} us without policies, {times['with_us']} with.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
