"""Logins for the steps: one per runtime role, and this installation's own.

Roles are shared by all databases of a server, and several installations may share a server. So the
runtime roles get no password here: each installation makes logins that are members of them, named
and given passwords by its own key, and none can take another's away.
"""

import contextlib
import hashlib
import hmac

import psycopg2
from psycopg2 import errors, sql
from psycopg2.extensions import encrypt_password

from local.errors import CannotRun
from local.migrations import connection_to

ROLES = {
    "f/chat/app_database": "chatmill_worker",
    "f/channels/ingress_database": "chatmill_ingress",
    "f/ops/operations_database": "chatmill_operations",
    "f/knowledge/knowledge_database": "chatmill_knowledge",
}

SETTINGS = "select unnest(rolconfig) from pg_roles where rolname = %s"
WANTED_SETTINGS = "select unnest(runtime_settings(%s))"


def role_resources(resource: dict, login_key: str) -> dict[str, dict]:
    """By Windmill's path: how the steps of each folder reach a migrated database. `resource` is
    the owner's; the logins are made when they are missing."""
    with connection_to(resource) as connection:
        connection.autocommit = True
        return {
            path: {**resource, **ready_login(connection, role, login_key)}
            for path, role in ROLES.items()
        }


def ready_login(connection, role: str, login_key: str) -> dict:
    user = f"{role}_{hashlib.sha256(login_key.encode()).hexdigest()[:8]}"
    password = hmac.digest(login_key.encode(), role.encode(), "sha256").hex()
    with connection.cursor() as cursor:
        cursor.execute("select from pg_roles where rolname = %s", [user])
        if not cursor.rowcount:
            make_login(cursor, user, role, password)
        mend_settings(cursor, user, role)
    return {"user": user, "password": password}


def make_login(cursor, user: str, role: str, password: str) -> None:
    """The server gets a verifier: the statement may be logged there."""
    verifier = encrypt_password(password, user, cursor.connection, "scram-sha-256")
    command = sql.SQL("create role {} login password {} in role {}")
    try:
        cursor.execute(
            command.format(sql.Identifier(user), sql.Literal(verifier), sql.Identifier(role))
        )
    except (errors.DuplicateObject, errors.UniqueViolation):
        pass  # another process of this installation made it just now
    except errors.InsufficientPrivilege as error:
        raise CannotRun(
            "the user of DATABASE_URL may not make the logins of the steps. Give it CREATEROLE"
            f" and the admin option on {role}, then start again."
        ) from error


def mend_settings(cursor, user: str, role: str) -> None:
    """Membership does not hand settings on, and a login may change its own, for ever: what an
    injected statement set is taken back."""
    present, wanted = settings(cursor, SETTINGS, user), settings(cursor, WANTED_SETTINGS, role)
    login = sql.Identifier(user)
    commands = [
        sql.SQL("alter role {} reset {}").format(login, sql.Identifier(name))
        for name in present.keys() - wanted.keys()
    ] + [
        sql.SQL("alter role {} set {} = {}").format(login, sql.Identifier(name), sql.Literal(value))
        for name, value in wanted.items()
        if present.get(name) != value
    ]
    for command in commands:
        with contextlib.suppress(errors.InsufficientPrivilege, psycopg2.InternalError):
            cursor.execute(command)  # a superuser's setting; or another process set it just now


def settings(cursor, query: str, name: str) -> dict[str, str]:
    cursor.execute(query, [name])
    return dict(setting.split("=", 1) for (setting,) in cursor)
