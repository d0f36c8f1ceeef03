"""The sweep: what a lost worker left behind is started again, and nothing blocks it."""

import contextlib
from datetime import timedelta

import pytest

from f.channels.messages import WebhookRefused
from f.ops import sweep_conversations
from tests.channels.test_receive_webhook import post, text_message
from tests.conftest import SEALING_KEY
from tests.db.turns import claim


def test_a_delivery_left_behind_by_a_lost_worker_is_accepted_by_the_sweep(
    operations_database, query, windmill, whatsapp
):
    body = text_message("Anybody?").decode()
    leave_behind(query, body)

    swept = sweep_conversations.main(operations_database, SEALING_KEY)

    assert swept["deliveries_accepted"] == 1
    assert query("select body from inbound_messages") == [("Anybody?",)]


def test_k13_a_conversation_whose_nudge_was_lost_is_started_by_the_sweep(
    operations_database, query, windmill, whatsapp, arrive
):
    _, conversation_id, _ = arrive("Hi")
    query("update conversation_work set nudged_until = now() - interval '1 second'")

    for _ in range(2):
        sweep_conversations.main(operations_database, SEALING_KEY)

    assert windmill.started == [("f/chat/answer_message", {"conversation_id": conversation_id}, 0)]


def test_k13_the_lease_of_a_silent_worker_ends_with_a_flow_that_waits_for_it(
    operations_database, query, windmill, arrive
):
    _, conversation_id, _ = arrive("Hi")
    claim(query, conversation_id)
    sweep_conversations.main(operations_database, SEALING_KEY)
    assert windmill.started == []

    query("update conversation_work set lease_until = now() + interval '2 seconds'")
    swept = sweep_conversations.main(operations_database, SEALING_KEY)

    [(_, args, wait_seconds)] = windmill.started
    assert (swept["successors_started"], args["conversation_id"]) == (1, conversation_id)
    assert 0 < wait_seconds <= 2


def test_k13_a_flow_that_is_late_is_succeeded_when_the_wait_for_it_ends(
    operations_database, query, windmill, arrive
):
    _, conversation_id, _ = arrive("Hi")
    late = "update conversation_work set due_at = now() - interval '{}', nudged_until = now() + %s"
    query(late.format("1 second"), timedelta(seconds=4))
    sweep_conversations.main(operations_database, SEALING_KEY)
    assert windmill.started == []

    query(late.format("3 seconds"), timedelta(seconds=2))
    sweep_conversations.main(operations_database, SEALING_KEY)

    [(_, args, wait_seconds)] = windmill.started
    assert args["conversation_id"] == conversation_id and 0 < wait_seconds <= 2


def test_a_frozen_sweep_holds_up_the_next_for_moments_only(
    operations_database, query, windmill, whatsapp
):
    query("select begin_sweep()")
    assert not sweep_conversations.main(operations_database, SEALING_KEY)["is_begun"]

    query("update installation_pulse set sweeping_until = sweeping_until - interval '3 seconds'")

    assert sweep_conversations.main(operations_database, SEALING_KEY)["is_begun"]
    assert sweep_conversations.main(operations_database, SEALING_KEY)["is_begun"]


def test_a_delivery_is_forgotten_a_week_after_it_was_accepted(
    operations_database, query, windmill, whatsapp
):
    post(text_message("Hi"))
    post(text_message("Hi again", message_id="wamid.2"))
    query(
        "update webhook_deliveries set accepted_at = now() - interval '8 days'"
        " where body like '%%again%%'"
    )

    swept = sweep_conversations.main(operations_database, SEALING_KEY)

    assert swept["deliveries_forgotten"] == 1
    assert query("select count(*) from webhook_deliveries") == [(1,)]
    assert query("select count(*) from inbound_messages") == [(2,)]


def leave_behind(query, body: str) -> None:
    query(
        "insert into webhook_deliveries (organization_id, channel_id, body, received_at)"
        " select organization_id, id, %s, now() - interval '1 minute' from channels"
        " where kind = 'whatsapp'",
        body,
    )


def test_a_delivery_that_can_not_be_accepted_keeps_nobody_else_waiting(
    operations_database, query, windmill, whatsapp, arrive
):
    leave_behind(query, "{broken")
    leave_behind(query, text_message("Anybody?").decode())
    _, conversation_id, _ = arrive("Hi", contact_key="15550002")
    query("update conversation_work set nudged_until = null")

    for _ in range(2):
        with contextlib.suppress(WebhookRefused):
            sweep_conversations.main(operations_database, SEALING_KEY)

    assert (conversation_id,) in query("select conversation_id::text from conversation_work")
    assert windmill.started[0][1] == {"conversation_id": conversation_id}
    assert query("select state from inbound_messages where body = 'Anybody?'") == [("waiting",)]


def test_a_delivery_that_failed_five_times_asks_for_a_person(
    operations_database, query, windmill, whatsapp
):
    leave_behind(query, "{broken")
    query("update webhook_deliveries set attempts = 4")

    with pytest.raises(WebhookRefused):
        sweep_conversations.main(operations_database, SEALING_KEY)

    assert query("select code from alerts") == [("delivery_not_accepted",)]
    assert sweep_conversations.main(operations_database, SEALING_KEY)["deliveries_accepted"] == 0


def test_work_that_never_ends_and_never_reports_a_failure_is_told_once(
    operations_database, query, windmill, whatsapp, arrive
):
    _, conversation_id, _ = arrive("Hi")
    query("update conversation_work set due_at = now() - interval '11 minutes'")

    results = [sweep_conversations.main(operations_database, SEALING_KEY) for _ in range(3)]

    assert [one["conversations_stuck"] for one in results] == [1, 0, 0]
    [(code, occurrences, summary)] = query("select code, occurrences, summary from alerts")
    assert (code, occurrences) == ("turn_stuck", 1) and conversation_id in summary


def test_a_second_conversation_that_is_stuck_is_counted_in_its_channels_alert(
    operations_database, query, windmill, whatsapp, arrive
):
    stuck = "update conversation_work set due_at = %s - interval '10 minutes 1 second'"
    arrive("Hi")
    query(stuck.replace("%s", "now()"))
    sweep_conversations.main(operations_database, SEALING_KEY)

    _, second, _ = arrive("Hello", contact_key="15550002")
    just_after = "(select last_raised_at + interval '1.001 seconds' from alerts)"
    query(stuck.replace("%s", just_after) + f" where conversation_id = '{second}'")
    query("select pg_sleep(0.01)")
    sweep_conversations.main(operations_database, SEALING_KEY)

    assert query("select code, occurrences from alerts") == [("turn_stuck", 2)]


def test_work_that_waits_for_its_time_or_its_turn_is_not_stuck(
    operations_database, query, windmill, whatsapp, arrive
):
    arrive("Hi")
    query("update conversation_work set due_at = now() - interval '9 minutes'")

    assert sweep_conversations.main(operations_database, SEALING_KEY)["conversations_stuck"] == 0
    assert query("select count(*) from alerts") == [(0,)]
