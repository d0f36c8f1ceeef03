"""An equal call of a turn is made once, wherever it comes; what waited for a sign-in, after it."""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest

from f.agent.effects import Effects, sha256_of
from f.shared.errors import TokenRefused, ToolFailed, UpstreamDown
from tests.conftest import ORGANIZATION_ID

ARGUMENTS = {"number": "7"}
TOOL = SimpleNamespace(name="cancel_order", class_="write", honours_key=False)
STATES = "select state, result is null from tool_effects"


def keep(query, turn_id, position, state):
    query(
        "insert into tool_effects (turn_id, position, organization_id, tool, class,"
        " arguments_sha256, state) values (%s, %s, %s, 'cancel_order', 'write', %s, %s)",
        *(turn_id, position, ORGANIZATION_ID, sha256_of(ARGUMENTS), state),
    )


@pytest.mark.parametrize("position", [0, 1, 3])
def test_m11_a_change_that_was_made_at_one_place_is_not_made_at_another(
    query, conn, thinking, position
):
    _, turn_id, _ = thinking
    keep(query, turn_id, 2, "done")
    effects = Effects(conn, lambda: nullcontext(conn), turn_id)

    effects.refuse_twin(TOOL, ARGUMENTS, 2)
    with pytest.raises(ToolFailed):
        effects.refuse_twin(TOOL, ARGUMENTS, position)


def test_m16_what_waited_for_the_contact_to_sign_in_is_made_when_they_did(query, conn, thinking):
    _, turn_id, _ = thinking

    def run(arguments, effect_key):
        raise TokenRefused()

    first = Effects(conn, lambda: nullcontext(conn), turn_id)
    with pytest.raises(TokenRefused):
        first.once(SimpleNamespace(**vars(TOOL), run=run), ARGUMENTS, 0)
    assert query(STATES) == [("needs_sign_in", True)]

    again = Effects(conn, lambda: nullcontext(conn), turn_id)
    again.refuse_twin(TOOL, ARGUMENTS, 1)
    made = SimpleNamespace(**vars(TOOL), run=lambda *_: ("Done.", {}))

    assert (again.answers(0), again.once(made, ARGUMENTS, 0)) == (False, ("Done.", {}))
    assert (again.answers(0), query(STATES)) == (True, [("done", False)])


def test_m16_what_was_done_is_known_though_the_database_starts_again(
    query, conn, thinking, monkeypatch
):
    _, turn_id, _ = thinking
    monkeypatch.setattr("f.shared.db.PAUSES_SECONDS", (0,))
    is_away = iter([False, True, False])  # once it was begun

    @contextmanager
    def open_transaction():
        if next(is_away):
            raise UpstreamDown("it starts again")
        yield conn

    made = SimpleNamespace(**vars(TOOL), run=lambda *_: ("Done.", {}))

    assert Effects(conn, open_transaction, turn_id).once(made, ARGUMENTS, 0) == ("Done.", {})
    assert query(STATES) == [("done", False)]


def test_m16_nothing_else_is_made_in_the_place_of_what_waited_for_a_sign_in(query, conn, thinking):
    _, turn_id, _ = thinking
    keep(query, turn_id, 0, "needs_sign_in")
    effects = Effects(conn, lambda: nullcontext(conn), turn_id)

    with pytest.raises(ToolFailed):
        effects.once(TOOL, {"number": "8"}, 0)
