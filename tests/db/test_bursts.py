"""A contact who writes on: answered together, and never by a draft that knows only half."""

import pytest

from tests.db.turns import claim, commit, finish, gather, pay


@pytest.mark.parametrize(
    ("kind", "body", "wait_seconds"),
    [
        ("text", "Where is my order 1234?", 0.4),
        ("text", "¿Dónde está mi pedido？", 0.4),
        ("text", "I ordered a grinder last week.", 0.7),
        ("text", "I ordered a grinder last week", 1),
        ("text", "I ordered a grinder last week, and then,", 2),
        ("text", "my order", 2),
        ("text", "Good morning!", 2),
        ("text", "Olá", 2),
        ("image", "[image]", 2),
    ],
)
def test_the_wait_fits_what_was_written(query, kind, body, wait_seconds):
    [(waits,)] = query("select burst_wait_seconds(%s, %s, 1)", kind, body)

    assert float(waits) == wait_seconds


def test_a_chatbot_without_debounce_answers_at_once(query):
    assert query("select burst_wait_seconds('image', 'Hi', 0)") == [(0,)]


def test_a_contact_who_keeps_writing_is_answered_when_the_cap_is_reached(query, arrive):
    query("update chatbots set debounce_seconds = 20, debounce_cap_seconds = 30")
    arrive("one thing,")
    query("update conversation_work set waiting_since = now() - interval '29 seconds'")

    arrive("and another,")

    assert query("select due_at <= now() + interval '1 second' from conversation_work") == [(True,)]


def test_a_finished_question_after_a_fragment_starts_its_own_earlier_flow(query, arrive):
    query("update chatbots set debounce_seconds = 5")
    _, _, first = arrive("about my order")

    _, _, second = arrive("When will it be delivered?")

    assert (first, second) == (10, 2)


def test_o04_a_draft_is_dropped_when_the_contact_wrote_on_before_it_was_committed(
    query, arrive, thinking
):
    _, turn_id, fence = thinking
    arrive("The one from Monday")

    state = commit(query, turn_id, fence, may_drop=True)

    assert state == "draft_dropped"
    assert query("select count(*) from outbound_messages") == [(0,)]
    assert query("select drafts_dropped, state from turns") == [(1, "thinking")]
    assert query("select distinct turn_id::text from inbound_messages") == [(turn_id,)]


def test_o04_the_third_draft_is_sent_and_what_came_meanwhile_is_answered_next(
    query, arrive, thinking
):
    _, turn_id, fence = thinking

    states = []
    for number in range(3):
        arrive(f"And {number}")
        states.append(commit(query, turn_id, fence, may_drop=True))

    assert states == ["draft_dropped", "draft_dropped", "answered"]
    assert finish(query, turn_id, fence)[-1] is not None


def test_dropped_drafts_are_charged(query, arrive, thinking):
    _, turn_id, fence = thinking
    arrive("The one from Monday")
    commit(query, turn_id, fence, may_drop=True)
    pay(query, turn_id, fence, draft=1)
    commit(query, turn_id, fence, may_drop=True)

    query("select charge_turn(%s, %s)", turn_id, fence)

    assert query("select tokens_used from usage_periods") == [(240,)]


def test_o09_a_machine_that_answers_at_once_is_held_after_so_many_turns(query, arrive):
    query("update chatbots set loop_limit = 3")
    decisions = []

    for _ in range(6):
        _, conversation_id, _ = arrive("I am out of the office.")
        _, fence, arrivals = claim(query, conversation_id)
        decision, reason, turn_id = gather(query, conversation_id, fence, arrivals)
        decisions.append(reason)
        if decision == "answer":
            commit(query, turn_id, fence)
            finish(query, turn_id, fence)

    assert decisions == ["messages_waiting"] * 4 + ["loop_suspected"] * 2
    assert query("select code, occurrences from alerts") == [("loop_suspected", 2)]


def test_who_pauses_to_read_is_no_machine(query, arrive):
    query("update chatbots set loop_limit = 1")

    for _ in range(3):
        _, conversation_id, _ = arrive("And now?")
        _, fence, arrivals = claim(query, conversation_id)
        decision, _, turn_id = gather(query, conversation_id, fence, arrivals)
        commit(query, turn_id, fence)
        finish(query, turn_id, fence)
        query("update conversation_work set last_sent_at = now() - interval '10 seconds'")

    assert decision == "answer"


@pytest.mark.parametrize("table", ["chatbots", "channels", "organizations"])
def test_what_is_switched_off_keeps_its_messages_for_people(query, arrive, table):
    _, conversation_id, _ = arrive("Hi")
    query(f"update {table} set is_active = false")
    _, fence, arrivals = claim(query, conversation_id)

    decision = gather(query, conversation_id, fence, arrivals)

    assert decision[:2] == ("hold", "switched_off")
    assert query("select state from inbound_messages") == [("held",)]
