"""Organizations whose every text is a canary, in every table that there is: asked from the
catalogue, so that a table that is added tomorrow is filled, and attacked, too."""

import hashlib
import json
import re
from dataclasses import dataclass, field

from psycopg2 import Error, sql

TABLES = """
select relname from pg_class
 where relnamespace = 'public'::regnamespace and relkind = 'r' and relrowsecurity
"""
COLUMNS = """
select attname, typname, attnotnull
  from pg_attribute join pg_type on pg_type.oid = atttypid
 where attrelid = %s::regclass and attnum > 0 and not attisdropped
   and attidentity = '' and attgenerated = ''
   -- What has a value by itself keeps it, but for texts.
   and (not atthasdef or typname in ('text', 'jsonb'))
 order by attnum
"""
CHECKS = """
select attname, pg_get_constraintdef(pg_constraint.oid)
  from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[1]
 where conrelid = %s::regclass and contype = 'c' and cardinality(conkey) = 1
"""
PARENTS = """
select child.attname, confrelid::regclass::text, parent.attname
  from pg_constraint
 cross join unnest(conkey, confkey) as key (child_number, parent_number)
  join pg_attribute as child on child.attrelid = conrelid and child.attnum = child_number
  join pg_attribute as parent on parent.attrelid = confrelid and parent.attnum = parent_number
 where conrelid = %s::regclass and contype = 'f' and confrelid <> conrelid
"""
VALUES = {
    "bool": "true",
    "int2": "1",
    "int4": "1",
    "int8": "1",
    "float8": "1",
    "numeric": "1",
    "timestamptz": "now() - interval '2 minutes'",
    "date": "date_trunc('month', current_date)::date",  # months begin with their first day
    "vector": "'[1,0,0]'",
    "halfvec": "'[1,0,0]'",
    "uuid": "gen_random_uuid()",
    "_uuid": "array[gen_random_uuid()]",
}


@dataclass
class World:
    """`rows[table][number]`: the row of the organization with that number, values as text."""

    organizations: list[str] = field(default_factory=list)
    rows: dict[str, list[dict]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)  # text columns of each table


def fill(connection, organizations: int) -> World:
    """One row per table and organization. `connection` is a superuser's: triggers are off."""
    world = World()
    with connection, connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(TABLES)
        for table in in_order(cursor, [name for (name,) in cursor.fetchall()]):
            Filler(cursor, table, world).fill(organizations)
    return world


def in_order(cursor, tables: list[str]) -> list[str]:
    """Parents first."""
    parents = {}
    for table in tables:
        cursor.execute(PARENTS, [table])
        parents[table] = {parent for _, parent, _ in cursor} & set(tables) - {table}
    ordered: list[str] = []
    while len(ordered) < len(tables):
        ordered += sorted(t for t in tables if t not in ordered and parents[t] <= set(ordered))
    return ordered


class Filler:
    def __init__(self, cursor, table: str, world: World):
        self._cursor, self._table, self._world = cursor, table, world
        cursor.execute(COLUMNS, [table])
        self._columns = cursor.fetchall()
        cursor.execute(CHECKS, [table])
        self._checks = cursor.fetchall()
        cursor.execute(PARENTS, [table])
        self._parents = {child: (parent, key) for child, parent, key in cursor.fetchall()}
        texts = [name for name, kind, _ in self._columns if kind in ("text", "jsonb")]
        world.texts[table] = texts

    def fill(self, organizations: int) -> None:
        usable = self._usable_columns()
        self._world.rows[self._table] = [
            self._insert({name: self._value(name, kind, number) for name, kind in usable})
            for number in range(organizations)
        ]
        if self._table == "organizations":
            self._world.organizations = [row["id"] for row in self._world.rows["organizations"]]

    def _usable_columns(self) -> list[tuple[str, str]]:
        """The needed ones, and each other that no rule over several columns forbids."""
        usable = [(name, kind) for name, kind, is_needed in self._columns if is_needed]
        for name, kind, is_needed in self._columns:
            if not is_needed:
                self._cursor.execute("savepoint before")
                try:
                    wanted = [*usable, (name, kind)]
                    self._insert({n: self._value(n, k, 0) for n, k in wanted})
                    usable = wanted
                except Error:
                    pass
                self._cursor.execute("rollback to before")
        return usable

    def _insert(self, values: dict) -> dict:
        names = sql.SQL(", ").join(map(sql.Identifier, values))
        written = sql.SQL(", ").join(map(sql.SQL, values.values()))
        command = sql.SQL("insert into {0} ({1}) values ({2}) returning to_jsonb({0})")
        self._cursor.execute(command.format(sql.Identifier(self._table), names, written))
        found = self._cursor.fetchone()[0]
        return {name: str(value) for name, value in found.items() if value is not None}

    def _value(self, name: str, kind: str, number: int) -> str:
        if name in self._parents:
            parent, key = self._parents[name]
            rows = self._world.rows.get(parent)
            return quoted(rows[number][key]) if rows else f"(select {key} from {parent} limit 1)"
        canary = canary_of(number, f"{self._table}_{name}")
        if kind == "text":
            return self._text(name, canary)
        if kind == "jsonb":
            return quoted(json.dumps({"it": canary}))
        if kind == "bytea":
            return f"convert_to({quoted(canary)}, 'UTF8')"
        if kind == "_text":
            return f"array[{quoted(canary)}]"
        return VALUES[kind]

    def _text(self, name: str, canary: str) -> str:
        """The canary itself, unless a check wants another form."""
        rules = [rule for column, rule in self._checks if column == name]
        listed = [word for rule in rules for word in re.findall(r"'([^']*)'::text", rule)]
        digest = hashlib.sha256(canary.encode()).hexdigest()
        others = ["https://" + canary, canary.split("_")[0], digest, digest[:16]]
        others += ["UTC", "word", *listed]
        return next(v for v in map(quoted, [canary, *others]) if self._is_allowed(name, v, rules))

    def _is_allowed(self, name: str, value: str, rules: list[str]) -> bool:
        if not rules:
            return True
        rule = " and ".join(re.sub("^CHECK ", "", rule) for rule in rules)
        self._cursor.execute("savepoint before")
        try:
            self._cursor.execute(f"select {rule} from (select {value}::text as {name}) as t")
            return bool(self._cursor.fetchone()[0])
        except Error:
            return False
        finally:
            self._cursor.execute("rollback to before")


def canary_of(number: int, place: str) -> str:
    return f"canary{number:03d}x_{place}"[:60]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
