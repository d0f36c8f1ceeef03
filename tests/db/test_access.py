"""Who may do what, asked from the catalogue; and that every such question can be answered badly."""

import re

import pytest

from local.migrations import MIGRATIONS
from local.places import ROOT
from tests.db.access_findings import findings

# A bad object, and what has to be said of it.
PLANTED = [
    ("create table notes (organization_id uuid)", "notes has organization_id and no forced"),
    ("alter table messages no force row level security", "messages has organization_id and no"),
    ("create policy all_rows on messages using (true)", "messages must have the two policies"),
    ("alter policy own_organization on chunks using (true)", "chunks must have the two policies"),
    ("create table t (id int); alter table t owner to chatmill_worker", "chatmill_worker owns"),
    ("alter function lease() owner to chatmill_ingress", "chatmill_ingress owns"),
    ("alter role chatmill_worker bypassrls", "chatmill_worker may not be superuser"),
    ("grant chatmill_scheduler to chatmill_worker", "is a member of chatmill_scheduler"),
    ("create view all_messages as select * from messages", "all_messages must be a plain view"),
    ("create materialized view copies as select 1", "copies must be a plain view"),
    ("alter function lease() security definer", "lease() is security definer"),
    ("alter function enter_turn reset search_path", "enter_turn(uuid,bigint) is security definer"),
    ("alter function enter_turn security invoker", "enter_turn(uuid,bigint) is security definer"),
    ("create function f() returns int as 'select 1' language sql", "f() may be called by every"),
    ("create unique index bodies on messages (body)", "bodies is unique and begins with a value"),
    ("create unique index lower_names on contacts (lower(name))", "lower_names is unique"),
    ("grant select on ticket_key to chatmill_worker", "chatmill_worker reads ticket_key"),
    ("grant create on schema public to chatmill_worker", "may create in our schema"),
    ("grant insert on messages to chatmill_worker", "may choose messages.id, a running number"),
    ("grant execute on function lo_create(oid) to public", "may call lo_create(oid)"),
    ("alter role chatmill_knowledge reset lock_timeout", "chatmill_knowledge has no lock_timeout"),
]


def test_x06_x07_every_object_keeps_the_rules_of_access(query):
    assert findings(query) == []


@pytest.mark.parametrize(("bad", "sentence"), PLANTED, ids=[bad for bad, _ in PLANTED])
def test_an_object_that_breaks_a_rule_is_reported(conn, query, bad, sentence):
    conn.autocommit = False  # roles are the whole server's: nothing of this is committed
    query(bad)

    reported = findings(query)
    conn.rollback()

    assert any(sentence in one for one in reported), reported


def test_a_role_that_may_make_temporary_tables_is_reported(conn, query, owner):
    conn.autocommit = False
    query(f"grant temporary on database {owner['dbname']} to chatmill_worker")

    assert any("temporary tables" in one for one in findings(query))
    conn.rollback()


def test_a_migration_that_makes_something_ends_by_giving_it_its_rights():
    later = [p for p in MIGRATIONS.glob("*.sql") if p.name > "0015" and "rollback" not in p.name]
    makes = re.compile(r"^create (or replace )?(table|function|view)", re.M)
    silent = [
        path.name
        for path in later
        if makes.search(path.read_text()) and "perform apply_access()" not in path.read_text()
    ]

    assert silent == [], "end them with: do $$ begin perform apply_access(); end $$;"


def session_settings(text: str) -> list[str]:
    return re.findall(
        r"(?i)set_config\s*\([^;]*?,\s*false\s*\)|[\"'`]\s*set\s+(?!local\b)\w+", text
    )


def test_no_code_changes_a_setting_for_longer_than_its_transaction():
    places = [*(ROOT / "f").rglob("*.py"), *MIGRATIONS.glob("*.sql")]

    assert [p.name for p in places if session_settings(p.read_text())] == []
    assert session_settings('execute("set chatmill.ticket = 1")')
    assert session_settings("select set_config('chatmill.ticket', x, false)")
