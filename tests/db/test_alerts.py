"""Alerts: counted by fingerprint, told at once and then every ten minutes, posted by one worker."""

from tests.db.locks import ask, wait_until_blocked

RAISE = "select raise_alert(null, 'error', 'step_failed', 'a-step', 'step a-step failed')"


def claim(query):
    found = query("select held_until, id, occurrences from claim_alert()")
    return found[0] if found else None


def settle(query):
    """Post what is due, as if Slack took it, and let a second pass."""
    claimed = claim(query)
    if claimed:
        query("select settle_alert(%s, %s, %s)", *claimed)
        query("update alert_outlet set next_post_at = now()")
    return claimed and claimed[2]


def test_an_alert_is_told_at_once_and_its_repetitions_after_ten_minutes(query):
    query(RAISE)
    told = [settle(query)]
    query(RAISE)
    told.append(settle(query))
    query(
        "update alerts set posted_at = posted_at - interval '10 minutes',"
        " due_at = due_at - interval '10 minutes'"
    )
    told.append(settle(query))

    assert told == [1, None, 2]
    assert query("select due_at, occurrences_told from alerts") == [(None, 2)]


def test_an_alert_that_was_quiet_for_ten_minutes_is_told_at_once(query):
    query(RAISE)
    settle(query)
    query("update alerts set posted_at = now() - interval '11 minutes'")

    query(RAISE)

    assert settle(query) == 2


def test_what_happens_while_an_alert_is_posted_is_told_later(query):
    query(RAISE)
    claimed = claim(query)

    query(RAISE)
    query("select settle_alert(%s, %s, %s)", *claimed)

    assert query("select occurrences, occurrences_told from alerts") == [(2, 1)]
    assert query("select due_at = posted_at + interval '10 minutes' from alerts") == [(True,)]


def test_alerts_of_two_organizations_are_never_counted_together(query):
    query("insert into organizations (plan_id, name) select plan_id, 'Other' from organizations")

    query("select raise_alert(id, 'error', 'step_failed', 'x', 'x') from organizations")

    assert query("select occurrences from alerts") == [(1,), (1,)]


def test_an_alert_without_a_summary_never_breaks_what_raised_it(query):
    query("select raise_alert(null, 'info', 'step_failed', null, '')")
    query("select raise_alert(null, 'info', 'step_failed', repeat('x', 999), null)")

    assert (
        query("select summary, length(fingerprint) <= 300 from alerts")
        == [("step_failed", True)] * 2
    )


CLAIM = "select id from claim_alert()"


def test_a_second_worker_waits_for_the_first_and_then_posts_nothing(query, other, later):
    query(RAISE)
    assert ask(other, CLAIM)

    waiting = later(query, CLAIM)
    wait_until_blocked(other)
    other.commit()

    assert waiting.result(5) == []


def test_an_alert_that_is_raised_again_just_now_does_not_keep_the_others_waiting(query, other):
    query(RAISE)
    ask(other, RAISE)

    assert query(CLAIM) == []
    query("select raise_alert(null, 'error', 'turn_buried', 'x', 'x')")
    assert len(query(CLAIM)) == 1


def test_a_worker_lost_after_slack_took_it_tells_it_again_and_loses_nothing(query):
    query(RAISE)
    lost = claim(query)
    query("update alert_outlet set next_post_at = now() - interval '1 second'")

    again = claim(query)

    assert again[1:] == lost[1:]


def test_a_worker_that_was_frozen_does_not_give_slack_free_under_the_next_one(query):
    query(RAISE)
    frozen = claim(query)
    query("update alert_outlet set next_post_at = now() - interval '1 second'")
    held_until = claim(query)[0]

    query("select settle_alert(%s, %s, %s)", *frozen)
    query("select put_off_alerts(%s, 'no_service', null)", frozen[0])

    assert query("select next_post_at, problem from alert_outlet") == [(held_until, None)]


def test_an_alert_that_slack_refuses_does_not_keep_the_others_waiting(query):
    query(RAISE)
    refused = claim(query)
    query("select put_off_alerts(%s, 'invalid_payload', null)", refused[0])
    query("update alert_outlet set next_post_at = now()")

    query("select raise_alert(null, 'error', 'turn_buried', 'x', 'x')")

    assert claim(query)[1] != refused[1]


def test_slack_away_is_asked_less_and_less_often_and_at_last_every_ten_minutes(query):
    waits = []
    query(RAISE)
    for _ in range(7):
        query("update alert_outlet set next_post_at = now()")
        query("select put_off_alerts(%s, 'no_answer', null)", claim(query)[0])
        waits += query("select round(extract(epoch from next_post_at - now())) from alert_outlet")

    assert [int(wait) for (wait,) in waits] == [30, 60, 120, 240, 480, 600, 600]


def test_what_was_told_a_month_ago_is_forgotten_and_what_waits_never(query):
    query(RAISE)
    query("select raise_alert(null, 'error', 'turn_buried', 'x', 'x')")
    settle(query)
    query("update alerts set last_raised_at = now() - interval '31 days'")

    query("select forget_alerts()")

    assert query("select code from alerts") == [("turn_buried",)]
