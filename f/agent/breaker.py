"""Who failed lately is left alone for a while, by every worker: the state is in the database."""

from collections.abc import Callable
from contextlib import AbstractContextManager

FAILURES_TO_OPEN = 3
# Short: after it, one call in all finds out whether the vendor is back.
OPEN_SECONDS = 15

READ = "select provider_key, failures, coalesce(open_until > now(), false) from model_breakers"
FAIL = """
insert into model_breakers as breaker (organization_id, provider_key, failures)
select organization_id, %(provider_key)s, 1 from turns where id = %(turn_id)s
    on conflict on constraint model_breakers_pkey do update
   set failures = breaker.failures + 1,
       open_until = case when breaker.failures + 1 >= %(failures)s
                         then now() + make_interval(secs => %(seconds)s) end
"""
# The update waits for the row and judges its newest version: of two that come at once, one probes.
PROBE = """
update model_breakers set open_until = now() + make_interval(secs => %s)
 where provider_key = %s and open_until <= now()
"""
CLOSE = "delete from model_breakers where provider_key = %s"


class Breaker:
    """Of one turn's organization. `conn` is in a transaction that holds the turn,
    `open_transaction` opens another."""

    def __init__(self, conn, open_transaction: Callable[[], AbstractContextManager], turn_id: str):
        self._open_transaction = open_transaction
        self._turn_id = turn_id
        with conn.cursor() as cursor:
            cursor.execute(READ)
            self._failures = {key: (failures, is_open) for key, failures, is_open in cursor}

    def lets_through(self, provider_key: str) -> bool:
        failures, is_open = self._failures.get(provider_key, (0, False))
        if is_open:
            return False
        if failures < FAILURES_TO_OPEN:
            return True
        with self._open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(PROBE, (OPEN_SECONDS, provider_key))
            return cursor.rowcount == 1

    def failed(self, provider_key: str) -> None:
        values = {
            "provider_key": provider_key,
            "turn_id": self._turn_id,
            "failures": FAILURES_TO_OPEN,
            "seconds": OPEN_SECONDS,
        }
        with self._open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(FAIL, values)
        failures = self._failures.get(provider_key, (0, False))[0] + 1
        self._failures[provider_key] = (failures, failures >= FAILURES_TO_OPEN)

    def succeeded(self, provider_key: str) -> None:
        """The usual case writes nothing."""
        if self._failures.pop(provider_key, None):
            with self._open_transaction() as conn, conn.cursor() as cursor:
                cursor.execute(CLOSE, (provider_key,))
