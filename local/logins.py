"""Logins for the steps: one per runtime role, and this installation's own.

Roles are shared by all databases of a server, and several installations may share a server. So the
runtime roles get no password here: each installation makes logins that are members of them, named
and given passwords by its own key, and none can take another's away.
"""

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
        copy_settings(cursor, user, role)
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


def copy_settings(cursor, user: str, role: str) -> None:
    """Timeouts are a login's own: membership does not hand them on."""
    cursor.execute(SETTINGS, [user])
    present = {setting for (setting,) in cursor}
    cursor.execute(SETTINGS, [role])
    for (setting,) in cursor.fetchall():
        if setting not in present:
            name, value = setting.split("=", 1)
            command = sql.SQL("alter role {} set {} = {}")
            try:
                cursor.execute(
                    command.format(sql.Identifier(user), sql.Identifier(name), sql.Literal(value))
                )
            except (errors.InsufficientPrivilege, psycopg2.InternalError):
                pass  # a superuser's setting; or another process set the same just now
