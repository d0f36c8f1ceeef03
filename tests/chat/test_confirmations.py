"""Nothing is changed without a yes to exactly that, of the contact or, for money, of a teammate."""

import pytest

from f.chat import load_turn
from tests.chat.tools import AWAY, MODEL, approve
from tests.scripted_model import calls, says

CANCEL = calls("cancel_order", number="12")


def test_m11_nothing_is_changed_before_the_contact_said_yes_to_exactly_that(say, query, windmill):
    approve(query)

    asked = say("Cancel order 12", CANCEL, says("I have cancelled it."))
    assert "Cancel an order" in asked and "number: 12" in asked and "15550001" not in asked
    assert windmill.scripts == []

    told = say("Yes, please!", CANCEL, says("I have cancelled order 12."))
    assert told == "I have cancelled order 12."
    assert [arguments["number"] for _, arguments in windmill.scripts] == ["12"]


@pytest.mark.parametrize(
    "answer", ["No", "yes but not 12", "What does it cost?", "yesterday", "y" * 9]
)
def test_m11_what_is_no_plain_yes_is_none(say, query, windmill, answer):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))

    say(answer, CANCEL, says("Sure?"))

    assert windmill.scripts == []


def test_m11_a_turn_that_is_taken_up_again_asks_for_the_same_yes(query, taken_up_again):
    approve(query)

    taken_up_again("Cancel order 12", [CANCEL, *AWAY], anew=[says("Fine, that is all.")])

    ((told,),) = query("select body from outbound_messages")
    assert "number: 12" in told


def test_m11_a_yes_is_good_for_the_very_next_message_only(say, query, windmill):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))
    say("How long do refunds take?", says("Five days."))

    say("yes", CANCEL, says("Sure?"))

    assert windmill.scripts == []


def test_m11_a_yes_after_words_with_a_teammate_is_none_to_the_chatbot(
    say, query, windmill, arrive, database
):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))
    query("update conversations set mode = 'human'")
    _, conversation_id, _ = arrive("No, I'll keep it")
    load_turn.main(database, MODEL, conversation_id)
    query("update conversations set mode = 'bot'")

    say("yes", CANCEL, says("Sure?"))

    assert windmill.scripts == []


def test_m11_a_yes_that_came_before_the_question_is_none(say, query, windmill):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))
    query("update tool_confirmations set asked_at = now() + interval '1 minute'")

    say("yes", CANCEL, says("Sure?"))

    assert windmill.scripts == []


def test_m11_a_yes_is_bound_to_its_arguments_and_its_contact(say, query, windmill):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))

    say("yes", CANCEL, says("Sure?"), contact_key="15559999")
    say("yes", calls("cancel_order", number="13"), says("Sure?"))

    assert windmill.scripts == []


def test_m09_a_yes_to_a_tool_as_it_was_before_its_last_approval_is_none(say, query, windmill):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))
    query("update tools set approved_at = clock_timestamp()")

    say("yes", CANCEL, says("It waits for you."))

    assert windmill.scripts == []


def test_m11_a_yes_is_used_once(say, query, windmill):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))

    again = {**CANCEL["tool_calls"][0], "id": "call_2"}
    twice = {**CANCEL, "tool_calls": [CANCEL["tool_calls"][0], again]}
    told = say("yes", twice, says("I have cancelled it."))

    assert told == "I have cancelled it."  # and not the question again: a second yes would double
    assert len(windmill.scripts) == 1


def test_m11_a_change_that_may_have_been_made_is_not_asked_for_again(say, query, windmill):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))
    windmill.script_answer = 503

    told = say("yes", CANCEL, CANCEL, says("Shall I try again?"))

    assert [(told,)] == query("select handoff_reply from chatbots")
    assert query("select count(*) from tool_confirmations") == [(1,)]
    assert query("select reason from handoffs") == [("effect_unknown",)]


def test_where_money_moves_a_teammate_is_asked_and_the_contact_is_told_of_them(
    say, query, windmill
):
    approve(query, class_="money")

    told = say("Refund 12", CANCEL, says("I have refunded it."))

    assert [(told,)] == query("select handoff_reply from chatbots")
    assert windmill.scripts == []
    assert query("select code from alerts order by code") == [
        ("approval_asked",),
        ("handoff_asked",),
    ]
    assert query("select mode from conversations") == [("human",)]


def test_a_teammates_approval_holds_for_the_exact_arguments_once(say, query, windmill):
    approve(query, class_="money")
    say("Refund 12", CANCEL, says("Sure."))
    query("update tool_confirmations set state = 'confirmed', confirmed_at = now()")
    query("update conversations set mode = 'bot'")

    say("And now?", calls("cancel_order", number="13"), says("Hm."))
    query("update conversations set mode = 'bot'")
    assert windmill.scripts == []
    say("And 12?", CANCEL, says("I have refunded it."))

    assert len(windmill.scripts) == 1


def test_i06_a_question_for_a_yes_carries_no_foreign_link(say, query, windmill):
    approve(query)

    told = say("Cancel", calls("cancel_order", number="https://evil.example"), says("Hm."))

    assert "evil" not in told
