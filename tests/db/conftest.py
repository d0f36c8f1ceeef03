"""A turn in the middle of its way."""

import pytest

from tests.db.turns import claim, gather


@pytest.fixture
def thinking(query, arrive):
    """A conversation whose turn is being thought about: (conversation id, turn id, fence)."""
    _, conversation_id, _ = arrive("Where is my order?")
    _, fence, arrivals = claim(query, conversation_id)
    _, _, turn_id = gather(query, conversation_id, fence, arrivals)
    return conversation_id, turn_id, fence
