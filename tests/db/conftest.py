"""A turn in the middle of its way."""

import pytest

from tests.conftest import connected
from tests.db.turns import claim, gather
from tests.db.usage import Meter


@pytest.fixture
def thinking(query, arrive):
    """A conversation whose turn is being thought about: (conversation id, turn id, fence)."""
    _, conversation_id, _ = arrive("Where is my order?")
    _, fence, arrivals = claim(query, conversation_id)
    _, _, turn_id = gather(query, conversation_id, fence, arrivals)
    return conversation_id, turn_id, fence


@pytest.fixture
def meter(database, query):
    """Reserves and settles for the demo's organization, on a connection of its own."""
    with connected(database) as connection:
        yield Meter(connection)


@pytest.fixture
def clock(query):
    """clock("2026-03-31 23:59+00") sets the time of periods and days."""
    query("create table clock (told timestamptz)")
    query("grant select on clock to public")
    query("insert into clock values (now())")
    query(
        "create or replace function usage_now() returns timestamptz as $$ select told from clock $$"
        " language sql stable"
    )
    return lambda told: query("update clock set told = %s", told)
