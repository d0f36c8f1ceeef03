"""One yes is one change: an equal call of a turn is not made again, wherever it comes."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from f.agent.effects import Effects, sha256_of
from f.shared.errors import ToolFailed
from tests.conftest import ORGANIZATION_ID

ARGUMENTS = {"number": "7"}
TOOL = SimpleNamespace(name="cancel_order")


@pytest.mark.parametrize("position", [0, 1, 3])
def test_m11_a_change_that_was_made_at_one_place_is_not_made_at_another(
    query, conn, thinking, position
):
    _, turn_id, _ = thinking
    query(
        "insert into tool_effects (turn_id, position, organization_id, tool, class,"
        " arguments_sha256, state) values (%s, 2, %s, 'cancel_order', 'write', %s, 'done')",
        *(turn_id, ORGANIZATION_ID, sha256_of(ARGUMENTS)),
    )
    effects = Effects(conn, lambda: nullcontext(conn), turn_id)

    effects.refuse_twin(TOOL, ARGUMENTS, 2)
    with pytest.raises(ToolFailed):
        effects.refuse_twin(TOOL, ARGUMENTS, position)
