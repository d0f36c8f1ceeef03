"""The quota's calls, as its tests make them: each in a transaction that proved its organization."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import psycopg2

from tests.conftest import CHANNEL_ID, ORGANIZATION_ID, connected

RESERVE = (
    "select reserve_usage(conversations, turns.id, %(model)s, %(tokens)s) from turns"
    " join conversations on conversations.id = turns.conversation_id where turns.id = %(turn)s"
)
SETTLE = "select settle_usage(%(turn)s)"
RELEASE = "select release_usage(%(turn)s)"
NOTICE = (
    "select claim_limit_notice(conversations) from turns"
    " join conversations on conversations.id = turns.conversation_id where turns.id = %(turn)s"
)
OPEN_TURNS = """
with contact as (
  insert into contacts (organization_id, channel_id, contact_key)
  select %(organization)s, %(channel)s, gen_random_uuid()::text from generate_series(1, %(count)s)
  returning id
), conversation as (
  insert into conversations (organization_id, channel_id, contact_id)
  select %(organization)s, %(channel)s, id from contact returning id
)
insert into turns (organization_id, conversation_id, arrivals_seen)
select %(organization)s, id, 1 from conversation returning id::text
"""


class Meter:
    """One connection that asks for one organization. `ask` leaves the transaction open."""

    def __init__(self, connection):
        self.connection = connection

    def ask(self, text: str, turn_id: str, tokens=100, model="m"):
        with self.connection.cursor() as cursor:
            cursor.execute("select prove_organization(%s)", (ORGANIZATION_ID,))
            cursor.execute(text, {"turn": turn_id, "tokens": tokens, "model": model})
            return cursor.fetchone()[0]

    def run(self, text: str, turn_id: str, **values):
        try:
            answer = self.ask(text, turn_id, **values)
            self.connection.commit()
            return answer
        except psycopg2.Error:
            self.connection.rollback()
            raise


def open_turns(query, count: int) -> list[str]:
    """Turns that are being answered, each of a contact of its own."""
    values = {"organization": ORGANIZATION_ID, "channel": CHANNEL_ID, "count": count}
    filled = OPEN_TURNS % {name: f"'{value}'" for name, value in values.items()}
    return [turn_id for (turn_id,) in query(filled)]


def at_once(database, text: str, turn_ids: list[str], writers=40, **values) -> list:
    """Asks for every turn from so many connections, which begin together."""
    barrier = Barrier(writers)
    with ExitStack() as stack, ThreadPoolExecutor(writers) as pool:
        meters = [Meter(stack.enter_context(connected(database))) for _ in range(writers)]

        def work(number: int) -> list:
            barrier.wait()
            mine = turn_ids[number::writers]
            return [meters[number].run(text, turn_id, **values) for turn_id in mine]

        return [answer for answers in pool.map(work, range(writers)) for answer in answers]


def pay(query, turn_id: str, input_tokens=80, output_tokens=20, model="m", draft=1) -> None:
    """A model call of the turn, as it is stored right after it came."""
    query(
        "insert into model_calls (turn_id, draft, position, organization_id, model, input_tokens,"
        " output_tokens, is_estimated, response) select %s, %s, count(*), %s, %s, %s, %s, false,"
        " '{}' from model_calls where turn_id = %s",
        turn_id,
        draft,
        ORGANIZATION_ID,
        model,
        input_tokens,
        output_tokens,
        turn_id,
    )


def alerts(query) -> list[tuple]:
    return query("select code, occurrences from alerts order by code, id")
