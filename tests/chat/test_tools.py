"""Tools of organizations: what is called, with whose yes, with which arguments, how often."""

import pytest

from f.chat import load_turn, run_agent
from f.shared.errors import UpstreamDown
from tests.chat.tools import BINDINGS, MODEL, ORDER, approve
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


def test_m11_a_turn_that_is_taken_up_again_asks_for_the_same_yes(
    query, database, windmill, arrive, model
):
    approve(query)
    model.will(CANCEL, *[503] * 4)
    _, conversation_id, _ = arrive("Cancel order 12")
    turn = load_turn.main(database, MODEL, conversation_id)
    with pytest.raises(UpstreamDown):
        run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
    query("delete from model_breakers")
    model.will(says("Fine, that is all."))

    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

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


def test_m16_a_person_looks_at_what_nobody_knows_before_anything_else_is_asked(
    say, query, windmill
):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))
    windmill.script_answer = 503

    told = say("yes", CANCEL, calls("cancel_order", number="13"), says("Sure?"))

    assert [(told,)] == query("select handoff_reply from chatbots")
    assert query("select reason from handoffs") == [("effect_unknown",)]


def test_the_server_says_who_the_contact_is_and_the_model_cannot(say, query, windmill, model):
    approve(query, class_="read")

    say("Cancel", calls("cancel_order", number="1", customer="15559999"), CANCEL, says("Fine."))

    schema = next(
        one["function"]["parameters"]
        for one in model.requests[0]["tools"]
        if one["function"]["name"] == "cancel_order"
    )
    assert set(schema["properties"]) == {"number"}
    assert [arguments["customer"] for _, arguments in windmill.scripts] == ["15550001"]


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


def test_m16_an_effect_whose_worker_was_lost_is_not_made_again_and_a_person_looks(
    say, query, windmill, database, arrive, model
):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))
    windmill.script_answer = 503

    told = say("yes", CANCEL, says("I have cancelled it."))

    assert [(told,)] == query("select handoff_reply from chatbots")
    assert query("select state from tool_effects") == [("unknown",)]
    assert query("select reason from handoffs") == [("effect_unknown",)]
    assert len(windmill.scripts) == 1


def test_m16_l14_a_turn_taken_up_after_its_effect_does_not_make_it_again(
    say, query, windmill, database, arrive, model
):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))
    model.will(CANCEL, *[503] * 3)
    _, conversation_id, _ = arrive("yes")
    turn = load_turn.main(database, MODEL, conversation_id)
    with pytest.raises(UpstreamDown):
        run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
    query("delete from model_breakers")
    model.will(says("I have cancelled order 12."))

    result = run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    assert (result["state"], result["guard"], len(windmill.scripts)) == ("answered", "ok", 1)


def test_m16_what_was_refused_is_told_so_again_when_the_turn_is_taken_up(
    say, query, windmill, database, arrive, model
):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))
    windmill.script_answer = 400
    model.will(CANCEL, *[503] * 3)
    _, conversation_id, _ = arrive("yes")
    turn = load_turn.main(database, MODEL, conversation_id)
    with pytest.raises(UpstreamDown):
        run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
    told_first = model.requests[-1]["messages"][-1]["content"]
    query("delete from model_breakers")
    model.will(says("That can't be cancelled."))

    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    assert told_first == "error: it was refused; nothing was changed"
    assert model.requests[-1]["messages"][-1]["content"] == told_first


def test_a_tool_is_given_the_key_of_its_effect(say, query, windmill):
    approve(query, honours_key=True)
    say("Cancel order 12", CANCEL, says("Sure?"))

    say("yes", CANCEL, says("I have cancelled it."))

    turn_id = query("select id::text from turns order by created_at desc limit 1")[0][0]
    assert windmill.scripts[0][1]["effect_key"] == f"{turn_id}:0"


@pytest.mark.parametrize("value", ["$var:f/chat/sealing_key", " $res:f/chat/app_database", "$x"])
def test_m17_no_reference_of_windmills_reaches_a_script(say, query, windmill, value):
    approve(query, class_="read")

    say("Cancel", calls("cancel_order", number=value), says("Hm."))

    assert windmill.scripts == []


@pytest.mark.parametrize("name", ["cancel_order_2", "f/chat/run_agent", "../x", "run_agent"])
def test_m15_only_an_approved_script_in_its_approved_version_is_run(say, query, windmill, name):
    approve(query, class_="read")

    say("Cancel", calls(name, number="1"), CANCEL, says("Hm."))

    assert [version for version, _ in windmill.scripts] == ["0123456789abcdef"]


def test_m15_a_script_without_a_version_is_not_run(say, query, windmill):
    approve(query, class_="read", pinned_hash=None)

    say("Cancel", CANCEL, says("Hm."))

    assert windmill.scripts == []


def test_m07_a_failing_tool_leaves_nothing_raw_and_the_contact_is_answered(
    say, query, windmill, model
):
    approve(query, class_="read")
    windmill.script_answer = {"completed": True, "success": False, "result": {"stack": "canary"}}

    assert say("Status?", CANCEL, says("I can't see that.")) == "I can't see that."
    assert "canary" not in str(model.requests)
    assert "canary" not in str(query("select * from tool_calls"))


def test_m02_a_large_result_is_cut_and_its_links_are_gone(say, query, windmill, model):
    approve(query, class_="read")
    text = "see https://evil.example/x and evil.com " + "word " * 100_000
    windmill.script_answer = {"completed": True, "success": True, "result": text}

    told = say("Status?", CANCEL, says("See https://evil.example/x"))

    read = model.requests[1]["messages"][-1]["content"]
    assert "evil" not in read and len(read) < 16_000
    assert [(told,)] == query("select unknown_reply from chatbots")


def test_i06_a_question_for_a_yes_carries_no_foreign_link(say, query, windmill):
    approve(query)

    told = say("Cancel", calls("cancel_order", number="https://evil.example"), says("Hm."))

    assert "evil" not in told


def test_m03_a_tool_whose_schema_is_refused_is_not_offered(say, query, windmill, model):
    broken = {**ORDER, "inputSchema": {"type": "object", "$ref": "http://169.254.169.254/"}}
    approve(query, definition=broken, bindings={})

    say("Hello", says("Hi."))

    assert "cancel_order" not in str(model.requests[0]["tools"])


def test_m08_a_tool_named_like_one_of_ours_does_not_stand_in_for_it(say, query, windmill):
    approve(query, class_="read", definition={**ORDER, "name": "hand_off"}, bindings=BINDINGS)

    say("I complain", calls("hand_off", reason="complaint"), says("Sure."))

    assert windmill.scripts == []
    assert query("select reason from handoffs") == [("complaint",)]
