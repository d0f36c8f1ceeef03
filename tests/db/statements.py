"""Statements on a test's own connection."""

import psycopg2
import pytest


def run(connection, statement: str, *values) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall()


def refused(connection, statement: str, *values) -> str:
    """The SQLSTATE with which it is refused."""
    with pytest.raises(psycopg2.Error) as error, connection.cursor() as cursor:
        cursor.execute(statement, values or None)
    return error.value.pgcode
