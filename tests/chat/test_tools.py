"""Tools of organizations: what is called, with which arguments, how often; what is told of it."""

import pytest

from tests.chat.tools import AWAY, BINDINGS, ORDER, approve
from tests.scripted_model import calls, says

CANCEL = calls("cancel_order", number="12")


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
    say, query, windmill, taken_up_again
):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))

    anew = [says("I have cancelled order 12.")]
    result = taken_up_again("yes", [CANCEL, *AWAY], anew=anew)

    assert (result["state"], result["guard"], len(windmill.scripts)) == ("answered", "ok", 1)


def test_m16_what_was_refused_is_told_so_again_when_the_turn_is_taken_up(
    say, query, windmill, model, taken_up_again
):
    approve(query)
    say("Cancel order 12", CANCEL, says("Sure?"))
    windmill.script_answer = 400

    taken_up_again("yes", [CANCEL, *AWAY], anew=[says("That can't be cancelled.")])

    told_first, told_again = [one["messages"][-1]["content"] for one in model.requests[-2:]]
    assert told_first == "error: it was refused; nothing was changed"
    assert told_again == told_first


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
