"""Statements that somebody who can inject SQL into a step would try."""

import json
import random
from dataclasses import dataclass

from bench.canaries import World, quoted

FUNCTIONS = """
select proname, array(select format_type(kind, null) from unnest(proargtypes) as kind)
  from pg_proc
 where pronamespace = 'public'::regnamespace and prokind = 'f' and prorettype <> 'trigger'::regtype
   and has_function_privilege(%s, oid, 'execute')
   and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
"""
READABLE = "select name from unnest(%s) as name where has_table_privilege(name, 'select')"
# Their arguments are the right to enter: who knows another organization's has been let in.
DOORS = {
    "claim_conversation", "enter_conversation", "enter_turn", "enter_source", "give_back_turn",
    "enter_outbound_message", "find_channel", "find_sibling_channel", "find_channel_of_delivery",
    "begin_attempt", "commit_turn", "claim_outbound_message", "complete_turn", "charge_turn",
    "postpone_turn", "store_model_call", "book_lost_call", "gather_turn", "read_web_chatbot",
    "find_web_session", "read_web_lines", "find_web_upload", "read_web_upload",
}  # fmt: skip
# The sweep and the alerts are for all organizations, one row at a time.
FOR_ALL = {
    "take_left_behind_delivery",
    "claim_alert",
    "find_channel_of_delivery",
    "channels_to_check",
    "claim_outgoing_event",
}

PLAIN = [
    "{all_of} limit 40) as q",
    "{all_of} where {id} = {foreign} or 1=1 limit 40) as q",
    "{all_of} where organization_id = {other}) as q",
    "select string_agg(q::text, ' ') from (select t::text from {table} t where false union all"
    " select u::text from {table2} u limit 40) as q",
    "with z as (select * from {table}) select string_agg(z::text, ' ') from z",
    "select string_agg(u::text, ' ') from {table} t right join {table2} u on true limit 40",
    "with z as (update {table} set {text} = {text} where {id} = {foreign} or 1=1 returning *)"
    " select string_agg(z::text, ' ') from z",
    "with z as (delete from {table} where {id} = {foreign} returning *)"
    " select string_agg(z::text, ' ') from z",
    "{all_of} where {id} = {foreign} for update) as q",
    "with z as (insert into {table} select * from {table2} returning *)"
    " select string_agg(z::text, ' ') from z",
    "merge into {table} t using {table2} u on true when matched then update set {text} = u::text"
    " returning t::text",
    "set local row_security = off; {all_of}) as q",
    "set role {role}; {all_of}) as q",
    "set local session authorization {role}; {all_of}) as q",
    "reset role; reset session authorization; {all_of}) as q",
    "set local search_path = pg_catalog; select string_agg(q::text, ' ') from public.{table} q",
    "select set_config('chatmill.ticket', {ticket}, true); {all_of} limit 40) as q",
    "select set_config('chatmill.ticket', {ticket}, false); {all_of} limit 40) as q",
    "reset chatmill.ticket; {all_of} limit 40) as q",
    "reset all; {all_of} limit 40) as q",
    "do $x$ begin raise exception '%', (select string_agg(t::text, ' ') from {table} t); end $x$",
    "do $x$ begin perform set_config('chatmill.ticket', {ticket}, true);"
    " raise exception '%', (select string_agg(t::text, ' ') from {table} t); end $x$",
    # Errors that quote what they choke on, before or after row-level security looks.
    "select count(*) from {table} where {text}::text::int = 1",
    "select count(*) from {table} where 1 / (length({text}::text) - length({text}::text)) = 1",
    "select count(*) from {table} where ({text}::text || 'x')::uuid = {foreign}",
    "select xmlserialize(content query_to_xml('select * from {table}', true, true, '') as text)",
    "select xmlserialize(content table_to_xml('{table}', true, true, '') as text)",
    "select string_agg(q::text, ' ')"
    " from ts_stat('select to_tsvector({text}::text) from {table}') q",
    "explain (analyze, verbose, costs off) select {text} from {table} where {id} = {foreign}",
    "alter table {table} disable row level security; {all_of}) as q",
    "alter table {table} no force row level security",
    "drop policy own_organization on {table}",
    "create policy open on {table} using (true)",
    "create view v as select * from {table}",
    "create temporary table {table} as select 1",
    "create function pg_temp.f() returns text as 'select 1' language sql",
    "grant {role} to current_user",
    "copy {table} to '/tmp/stolen'",
    "copy (select * from {table}) to program 'cat'",
    "select pg_read_file('/etc/passwd')",
    "select string_agg(query, ' ') from pg_stat_activity",
    "select string_agg(pg_terminate_backend(pid)::text, ' ') from pg_stat_activity",
    "select string_agg(lo_get(oid)::text, ' ') from pg_largeobject_metadata",
    "select lo_from_bytea(0, convert_to(string_agg(t::text, ' '), 'UTF8')) from {table} t",
    "select string_agg(q::text, ' ') from pg_stats q where tablename = '{table}'",
    "select string_agg(q::text, ' ') from pg_statistic q limit 40",
    "select string_agg(q::text, ' ') from pg_cursors q",
    "select string_agg(q::text, ' ') from pg_prepared_statements q",
    "select string_agg(rolpassword, ' ') from pg_authid",
    "select string_agg(inner_pad::text, ' ') from ticket_key",
    "{moved}",
]
ROLES = [
    "postgres", "chatmill_scheduler", "chatmill_worker", "chatmill_ingress", "chatmill_operations",
    "chatmill_knowledge", "none", "pg_read_all_data",
]  # fmt: skip


@dataclass
class Attacker:
    """One role in transactions of one organization after the other."""

    world: World
    functions: list[tuple[str, list[str]]]
    readable: list[str]
    random: random.Random

    def statement(self, me: int | None, ticket: str) -> str:
        """`me`: the organization that the transaction proved; None when it proved none."""
        if self.random.random() < 0.3:
            return self._call(me)
        every = self.readable if self.random.random() < 0.8 else list(self.world.rows)
        table, table2 = self.random.choices(every, k=2)
        row, number = self._foreign_row(table, me)
        key = "id" if "id" in row else next(iter(row))
        texts = self.world.texts[table] or [key]
        return self.random.choice(PLAIN).format(
            all_of=f"select string_agg(q::text, ' ') from (select * from {table}",
            table=table,
            table2=table2,
            id=key,
            foreign=quoted(row[key]),
            other=quoted(self.world.organizations[number]),
            text=self.random.choice(texts),
            role=self.random.choice(ROLES),
            ticket=quoted(self._forged(ticket, number)),
            moved=f"with z as (update {table} set"
            f" {'id' if table == 'organizations' else 'organization_id'} ="
            f" {quoted(self.world.organizations[number])} returning 1)"
            " select 'canary999x moved ' || count(*) from z having count(*) > 0",
        )

    def _foreign_row(self, table: str, me: int | None) -> tuple[dict, int]:
        number = self.random.randrange(len(self.world.organizations))
        if number == me:
            number = (number + 1) % len(self.world.organizations)
        return self.world.rows[table][number], number

    def _forged(self, ticket: str, number: int) -> str:
        other = self.world.organizations[number]
        mac = ticket.split(".")[-1] or "0" * 64
        place = self.random.randrange(len(mac))
        flipped = mac[:place] + self.random.choice("0123456789abcdef") + mac[place + 1 :]
        return self.random.choice(
            [f"{other}.{mac}", f"{other}.{flipped}", f"{other}.", other, "", f".{mac}", f"{other}."
             + f"{self.random.getrandbits(256):064x}", f"{other}.{mac}.{mac}"]
        )  # fmt: skip

    def _call(self, me: int | None) -> str:
        usable = [
            (name, kinds)
            for name, kinds in self.functions
            if name not in FOR_ALL and not (me is None and name in DOORS)
        ]
        if not usable:
            return "select null"
        name, kinds = self.random.choice(usable)
        arguments = ", ".join(self._argument(kind, me) for kind in kinds)
        return f"select string_agg(q::text, ' ') from {name}({arguments}) q"

    def _argument(self, kind: str, me: int | None) -> str:
        table = self.random.choice(list(self.world.rows))
        row, _ = self._foreign_row(table, me)
        if kind == "uuid":
            ids = [v for n, v in row.items() if n.endswith("id") and len(v) == 36]
            return quoted(self.random.choice(ids)) + "::uuid" if ids else "gen_random_uuid()"
        if kind in ("bigint", "integer", "numeric"):
            return f"{self.random.choice([0, 0, 1, 2, 7, 10000])}::{kind}"
        if kind in self.world.rows:
            if me is not None and self.random.random() < 0.5:
                return self._made_up(kind, me)
            return f"(select t from {kind} t order by random() limit 1)"
        return {
            "text": quoted(self.random.choice([row.get("id", "x"), "x", "demo-whatsapp"])),
            "boolean": "true",
            "jsonb": "'{}'::jsonb",
            "text[]": "array['x']",
            "interval": "'1 second'::interval",
            "timestamp with time zone": "now()",
            "date": "current_date",
        }.get(kind, f"null::{kind}")

    def _made_up(self, table: str, me: int) -> str:
        """A row that says it is ours, with some of its ids another organization's."""
        foreign, _ = self._foreign_row(table, me)
        own = self.world.rows[table][me]
        ids = {
            name: self.random.choice([own, foreign])[name]
            for name in sorted(own.keys() & foreign.keys())
            if name.endswith("id")
        }
        row = json.dumps({**ids, "organization_id": self.world.organizations[me]})
        return f"jsonb_populate_record(null::{table}, {quoted(row)})"
