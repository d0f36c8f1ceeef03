"""Approve a tool for a chatbot: its definition as it is now, with the hash that pins it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from f.agent.approved_tool import definition_sha256, problem_of_tool
from f.agent.mcp_tool import mcp_client, token_place
from f.shared.crypto import open_sealed, seal
from f.shared.errors import ChatmillError
from local.errors import CannotRun
from local.installation import DEMO_ORGANIZATION
from local.migrations import connection_to
from local.places import ROOT
from runner.workspace import Script, load_workspace

# What of a script's form says which arguments it takes.
SCHEMA_WORDS = ("type", "properties", "required")
# With the longest name of a server before it, as long as tools.name may be.
MAX_NAME_CHARACTERS = 39
HASH_CHARACTERS = 8

ADD_SERVER = """
insert into tool_servers (organization_id, name, url, callback_url)
values (%s, %s, %s, %s) returning id::text
"""
# Two organizations may have servers of one name.
FIND_SERVER = """
select id::text, organization_id::text, url, sealed_token
  from tool_servers where name = %s and organization_id = %s
"""
FIND_ORGANIZATION = "select organization_id::text from chatbots where id = %s"
APPROVE = """
insert into tools as tool (
  organization_id, chatbot_id, tool_server_id, kind, name, title, target, pinned_hash, definition,
  definition_sha256, class, bindings, honours_key, approved_by
)
select organization_id, id, %(server_id)s, %(kind)s, %(name)s, %(title)s, %(target)s,
       %(pinned_hash)s, %(definition)s, %(sha256)s, %(class)s, %(bindings)s, %(honours_key)s,
       %(approved_by)s
  from chatbots where id = coalesce(%(chatbot_id)s, (
    select id from chatbots where organization_id = %(demo)s order by created_at limit 1))
    on conflict on constraint tools_are_named_once do update
   set title = excluded.title, pinned_hash = excluded.pinned_hash, target = excluded.target,
       definition = excluded.definition, definition_sha256 = excluded.definition_sha256,
       class = excluded.class, bindings = excluded.bindings, honours_key = excluded.honours_key,
       approved_by = excluded.approved_by, approved_at = now(), state = 'approved',
       kind = excluded.kind, tool_server_id = excluded.tool_server_id
 where (tool.kind, tool.target, tool.tool_server_id) is not distinct from
       (excluded.kind, excluded.target, excluded.tool_server_id)
    or tool.state = 'off'
returning name
"""


@dataclass(frozen=True)
class Approval:
    class_: str
    approved_by: str
    title: str | None = None
    bindings: dict | None = None
    honours_key: bool = False
    chatbot_id: str | None = None


def add_server(
    resource: dict,
    sealing_key: str,
    name: str,
    url: str,
    token: str,
    organization: str | None,
    callback_url: str | None = None,
) -> str:
    """`callback_url`: its tools are called for the contact, who signs in; `token` is then good for
    looking at the tools alone."""
    if not url.startswith("https://"):
        raise CannotRun("an MCP server's address has to begin with https://.")
    with connection_to(resource) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(ADD_SERVER, [organization or DEMO_ORGANIZATION, name, url, callback_url])
        except psycopg2.IntegrityError as error:
            raise CannotRun(f"{name!r} can't be a server's name, or there is one.") from error
        (server_id,) = cursor.fetchone()
        if token:
            sealed = seal(sealing_key, token, token_place(server_id))
            cursor.execute(
                "update tool_servers set sealed_token = %s where id = %s", [sealed, server_id]
            )
        connection.commit()
        return server_id


def definitions_of(
    resource: dict, sealing_key: str, server_name: str, organization: str | None = None
) -> list[dict]:
    """What the server tells of its tools just now."""
    server_id, _, url, sealed = server_of(resource, server_name, organization)
    token = open_sealed(sealing_key, sealed, token_place(server_id)) if sealed else ""
    client = mcp_client()
    try:
        return client.list_tools(client.McpServer(url, token))
    except ChatmillError as error:
        raise CannotRun(f"server {server_name}: {error}.") from error


def approve_remote(resource: dict, sealing_key: str, path: str, approval: Approval) -> str:
    """`path`: SERVER/TOOL."""
    server_name, _, target = path.partition("/")
    organization = approval.chatbot_id and _organization_of(resource, approval.chatbot_id)
    server_id, *_ = server_of(resource, server_name, organization)
    told = definitions_of(resource, sealing_key, server_name, organization)
    found = [one for one in told if one["name"] == target]
    if len(found) != 1:
        raise CannotRun(f"server {server_name} has no tool {target!r}.")
    # Prefixed, so that tools of two servers can't be mistaken for each other.
    name = f"{server_name}__{_distinct(target)}"
    where = {
        "kind": "mcp",
        "target": target,
        "pinned_hash": None,
        "server_id": server_id,
    }
    return _approve(resource, name, found[0], where, approval)


def approve_script(resource: dict, path: str, version: str | None, approval: Approval) -> str:
    scripts = load_workspace(ROOT).scripts
    if path not in scripts:
        raise CannotRun(f"there is no script {path}.")
    return approve(resource, scripts[path], version, approval)


def approve(resource: dict, script: Script, version: str | None, approval: Approval) -> str:
    """`version`: a script's hash in Windmill; else the local one's."""
    schema = dict(script.metadata.get("schema") or {})
    definition = {
        "name": _distinct(Path(script.path).name),
        "description": script.metadata.get("summary") or script.path,
        "inputSchema": {word: schema[word] for word in SCHEMA_WORDS if word in schema},
        "outputSchema": None,
        "annotations": None,
    }
    where = {
        "kind": "script",
        "target": script.path,
        "pinned_hash": version or script.version,
        "server_id": None,
    }
    return _approve(resource, definition["name"], definition, where, approval)


def _approve(resource: dict, name: str, definition: dict, where: dict, approval: Approval) -> str:
    bindings = approval.bindings or {}
    problem = problem_of_tool(definition, bindings)
    if problem:
        raise CannotRun(f"{name}: {problem}.")
    values = {
        **where,
        "name": name,
        "title": (approval.title or definition["description"] or name)[:100],
        "definition": json.dumps(definition),
        "sha256": definition_sha256(definition),
        "class": approval.class_,
        "bindings": json.dumps(bindings),
        "honours_key": approval.honours_key,
        "approved_by": approval.approved_by,
        "chatbot_id": approval.chatbot_id,
        "demo": DEMO_ORGANIZATION,
    }
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(APPROVE, values)
        row = cursor.fetchone()
        if row is None:
            raise CannotRun(
                f"there is no chatbot {approval.chatbot_id or 'of the demo'}, or another tool of"
                f" its has the name {name}: switch that off first."
            )
        connection.commit()
        return row[0]


def _organization_of(resource: dict, chatbot_id: str) -> str:
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(FIND_ORGANIZATION, [chatbot_id])
        row = cursor.fetchone()
        if row is None:
            raise CannotRun(f"there is no chatbot {chatbot_id}.")
        return row[0]


def server_of(resource: dict, name: str, organization: str | None) -> tuple:
    """Its id, organization, address and sealed token. `organization`: None: the demo's."""
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(FIND_SERVER, [name, organization or DEMO_ORGANIZATION])
        row = cursor.fetchone()
        if row is None:
            raise CannotRun(f"there is no server {name!r}.")
        return row


def _distinct(name: str) -> str:
    """In the letters and the length that every model's vendor takes. Where a letter gives way or
    the end is cut, a hash of the whole stands for it: no two names become one."""
    plain = "".join(one if one.isalnum() and one.isascii() else "_" for one in name.lower())
    if plain == name and len(name) <= MAX_NAME_CHARACTERS:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:HASH_CHARACTERS]
    return f"{plain[: MAX_NAME_CHARACTERS - HASH_CHARACTERS - 1]}_{digest}"
