"""A session that another waits for."""

import time


def ask(connection, text, *values):
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchone()


def wait_until_blocked(connection) -> None:
    """Until somebody waits for this connection's locks."""
    for _ in range(500):
        time.sleep(0.01)
        blocked = ask(
            connection,
            "select count(*) from pg_stat_activity"
            " where pg_backend_pid() = any(pg_blocking_pids(pid))",
        )
        if blocked != (0,):
            return
    raise AssertionError("nobody waits")
