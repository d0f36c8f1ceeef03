"""A bare route that writes one row: what this machine can do today, measured in the same run."""

import psycopg2
from psycopg2.pool import ThreadedConnectionPool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.postgres import data_source_name

CREATE = "create table reference_rows (id bigint generated always as identity, body text not null)"


def reference_route(resource: dict) -> Route:
    connection = psycopg2.connect(data_source_name(resource))
    with connection, connection.cursor() as cursor:
        cursor.execute(CREATE)
    connection.close()
    # As many connections as threads of starlette's pool: getconn raises when none is left.
    pool = ThreadedConnectionPool(1, 64, data_source_name(resource))

    def write(request: Request) -> JSONResponse:
        connection = pool.getconn()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("insert into reference_rows (body) values ('{}')")
        finally:
            pool.putconn(connection)
        return JSONResponse({"status": "ok"})

    return Route("/reference", write, methods=["POST"])
