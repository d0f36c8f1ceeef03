"""What happens to a turn whose worker was lost, or whose step failed."""

from tests.db.turns import claim, commit, finish, gather, pay


def test_k03_a_turn_whose_worker_was_lost_is_taken_up_again(query, arrive, thinking):
    conversation_id, turn_id, _ = thinking
    arrive("Hello?")
    query("update conversation_work set lease_until = now() - interval '1 second'")

    _, fence, arrivals = claim(query, conversation_id)
    decision, _, again = gather(query, conversation_id, fence, arrivals)

    assert (decision, again) == ("answer", turn_id)
    assert query("select count(*) from inbound_messages where turn_id = %s", turn_id) == [(2,)]
    assert query("select messages_reserved from usage_periods") == [(1,)]


def test_a_stored_answer_is_not_given_to_a_message_that_it_never_saw(query, arrive, thinking):
    conversation_id, turn_id, fence = thinking
    pay(query, turn_id, fence)
    arrive("And on Sunday?")
    lose_worker(query)
    _, fence, arrivals = claim(query, conversation_id)

    gather(query, conversation_id, fence, arrivals)

    assert query("select state from inbound_messages order by received_at") == [
        ("taken",),
        ("waiting",),
    ]
    assert commit(query, turn_id, fence, may_drop=True) == "draft_dropped"


def test_o08_a_turn_that_fails_five_times_ends_with_a_notice_and_an_alert(query, thinking):
    conversation_id, _, _ = thinking
    query("update turns set attempts = 5")
    query("update conversation_work set lease_until = now() - interval '1 second'")
    _, fence, arrivals = claim(query, conversation_id)

    decision, reason, _ = gather(query, conversation_id, fence, arrivals)

    assert (decision, reason) == ("answer", "buried")
    assert query("select state, outcome from turns") == [("answered", "failure_notice")]
    assert query("select state from inbound_messages") == [("buried",)]
    assert query("select body = failure_notice from outbound_messages, chatbots") == [(True,)]
    assert query("select code from alerts") == [("turn_buried",)]
    assert query("select messages_used, tokens_reserved from usage_periods") == [(0, 0)]


def test_a_turn_given_back_is_due_again_later(query, thinking):
    conversation_id, _, fence = thinking

    wait_seconds = query("select give_back_turn(%s, %s)", conversation_id, fence)[0][0]

    assert wait_seconds == 2
    assert query("select lease_until from conversation_work") == [(None,)]


def test_what_a_lost_worker_left_behind_is_found_once(query, thinking):
    conversation_id, _, _ = thinking
    query("update conversation_work set lease_until = now() - interval '1 second'")

    found = left_behind(query)
    expect_flows(query, found)

    assert [one for one, _ in found] == [conversation_id]
    assert left_behind(query) == []


def test_a_sweep_that_was_lost_before_its_flows_started_keeps_nobody_waiting(query, thinking):
    lose_worker(query)

    assert left_behind(query) == left_behind(query) != []


def test_a_flow_that_claimed_before_it_was_expected_is_not_waited_for(query, arrive, thinking):
    conversation_id, turn_id, _ = thinking
    lose_worker(query)
    found = left_behind(query)
    _, fence, arrivals = claim(query, conversation_id)
    gather(query, conversation_id, fence, arrivals)
    commit(query, turn_id, fence)
    arrive("And on Sunday?")
    query("update conversation_work set lease_until = null, due_at = now()")

    expect_flows(query, found)

    assert query("select nudged_until from conversation_work") == [(None,)]


def left_behind(query) -> list[tuple]:
    return query("select conversation_id::text, fence from conversations_left_behind(10)")


def expect_flows(query, found: list[tuple]) -> None:
    ids, fences = zip(*found, strict=True)
    query("select expect_flows(%s::uuid[], %s)", list(ids), list(fences))


def lose_worker(query):
    query("update conversation_work set lease_until = now() - interval '1 second'")


def test_every_new_try_of_a_turn_waits_longer(query, thinking):
    conversation_id, _, fence = thinking
    waits = []

    for _ in range(3):
        waits.append(query("select give_back_turn(%s, %s)", conversation_id, fence)[0][0])
        query("update conversation_work set due_at = now()")
        _, fence, arrivals = claim(query, conversation_id)
        gather(query, conversation_id, fence, arrivals)

    assert waits == [2, 8, 32]


def test_after_failed_models_the_last_try_comes_before_the_time_to_think_is_over(query, thinking):
    conversation_id, turn_id, fence = thinking
    query("update conversation_work set failures = 2")
    query("select limit_thinking(%s, 20)", turn_id)

    wait_seconds = query("select give_back_turn(%s, %s)", conversation_id, fence)[0][0]

    assert 14 < wait_seconds <= 15


def test_a_turn_whose_time_to_think_is_over_is_taken_up_soon(query, thinking):
    conversation_id, turn_id, fence = thinking
    query("update conversation_work set failures = 3")
    query("select limit_thinking(%s, 0)", turn_id)

    assert query("select give_back_turn(%s, %s)", conversation_id, fence) == [(2,)]


def test_a_second_outage_gives_a_turn_no_more_time(query, thinking):
    _, turn_id, _ = thinking

    for seconds in (20, 45):
        query("select limit_thinking(%s, %s)", turn_id, seconds)

    assert query("select think_until <= now() + interval '20 s' from turns") == [(True,)]


def test_a_committed_reply_waits_as_long_as_ever_for_its_sending(query, thinking):
    conversation_id, turn_id, fence = thinking
    query("update conversation_work set failures = 2")
    query("select limit_thinking(%s, 20)", turn_id)
    commit(query, turn_id, fence)

    assert query("select give_back_turn(%s, %s)", conversation_id, fence) == [(32,)]


def test_k08_a_turn_with_a_committed_reply_is_only_finished_by_the_next_worker(query, thinking):
    conversation_id, turn_id, fence = thinking
    commit(query, turn_id, fence)
    lose_worker(query)
    _, fence, arrivals = claim(query, conversation_id)

    decision, reason, again = gather(query, conversation_id, fence, arrivals)

    assert (decision, reason, again) == ("answer", "finish_again", turn_id)


def test_a_retried_turn_that_took_the_newest_message_leaves_nothing_due(query, arrive, thinking):
    conversation_id, turn_id, _ = thinking
    arrive("Hello?")
    lose_worker(query)
    _, fence, arrivals = claim(query, conversation_id)
    gather(query, conversation_id, fence, arrivals)
    commit(query, turn_id, fence)

    assert finish(query, turn_id, fence)[-1] is None
    assert query("select due_at from conversation_work") == [(None,)]


def test_a_conversation_that_a_worker_holds_is_not_left_behind(query, thinking):
    assert query("select * from conversations_left_behind(10)") == []


def test_a_message_after_a_buried_turn_is_answered_next(query, arrive, thinking):
    conversation_id, turn_id, fence = thinking
    commit(query, turn_id, fence)
    query("update turns set attempts = 5")
    arrive("Still there?")
    lose_worker(query)
    _, fence, arrivals = claim(query, conversation_id)

    wait_seconds = query(
        "select wait_seconds from gather_turn(%s, %s, %s, 'm', 8000, 5)",
        conversation_id,
        fence,
        arrivals,
    )

    assert wait_seconds == [(0,)]
    assert query("select state from turns") == [("buried",)]
    assert query("select state from inbound_messages where body = 'Still there?'") == [("waiting",)]


def test_an_attempt_counts_once_for_each_claim(query, thinking):
    _, turn_id, fence = thinking

    for _ in range(3):
        query("select begin_attempt(%s, %s)", turn_id, fence)

    assert query("select attempts from turns") == [(1,)]


def test_a_contact_who_keeps_writing_does_not_shorten_the_wait_after_a_failure(
    query, arrive, thinking
):
    conversation_id, _, fence = thinking
    query("select give_back_turn(%s, %s)", conversation_id, fence)

    arrive("hello?")

    assert claim(query, conversation_id)[0] == "too_early"


def test_every_write_of_a_turn_renews_its_lease(query, thinking):
    conversation_id, _, fence = thinking
    query("update conversation_work set lease_until = now() + interval '1 second'")

    query("select enter_conversation(%s, %s)", conversation_id, fence)

    assert query("select lease_until > now() + interval '3 seconds' from conversation_work") == [
        (True,)
    ]


def test_a_committed_reply_has_its_own_five_attempts_to_be_finished(query, thinking):
    _, turn_id, fence = thinking
    query("update turns set attempts = 5")

    commit(query, turn_id, fence)

    assert query("select attempts from turns") == [(0,)]


def test_a_buried_turn_that_was_answered_is_remembered_and_charged(query, thinking):
    conversation_id, turn_id, fence = thinking
    commit(query, turn_id, fence)
    query("update turns set attempts = 5")
    lose_worker(query)
    _, fence, arrivals = claim(query, conversation_id)

    gather(query, conversation_id, fence, arrivals)

    assert query("select count(*) from messages") == [(2,)]
    assert query("select tokens_used, tokens_reserved, messages_used from usage_periods") == [
        (120, 0, 1)
    ]


def test_a_message_that_waits_where_nothing_is_due_is_found_all_the_same(query, arrive):
    _, conversation_id, _ = arrive("Hi")
    query("update conversation_work set due_at = null, nudged_until = null")
    query("update inbound_messages set received_at = now() - interval '1 minute'")

    query("select from conversations_left_behind(10)")

    assert query("select conversation_id::text, due_at <= now() from conversation_work") == [
        (conversation_id, True)
    ]


def test_a_branch_that_ends_after_the_turn_was_given_back_keeps_nobody_waiting(query, thinking):
    conversation_id, turn_id, fence = thinking
    commit(query, turn_id, fence)
    query("select give_back_turn(%s, %s)", conversation_id, fence)

    query("select complete_turn(%s, %s, 'saved')", turn_id, fence)

    assert query("select lease_until from conversation_work") == [(None,)]
    assert query("select saved_at is not null from turns") == [(True,)]
