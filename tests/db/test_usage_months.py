"""Months: each is a row of its own, prepared before it begins and reported once after it ended."""

from concurrent.futures import ThreadPoolExecutor

from f.ops import open_usage_period
from tests.conftest import ORGANIZATION_ID
from tests.db.usage import RELEASE, RESERVE, SETTLE, at_once, open_turns, pay

PERIODS = "select starts_on::text, messages_used, messages_reserved from usage_periods order by 1"


def test_q08_a_turn_across_a_months_end_settles_in_the_month_that_it_began_in(query, meter, clock):
    clock("2026-03-31 23:59+01:00")
    answered, held = open_turns(query, 2)
    meter.run(RESERVE, answered)
    meter.run(RESERVE, held)
    pay(query, answered)

    clock("2026-04-01 00:01+01:00")
    meter.run(SETTLE, answered)
    meter.run(RELEASE, held)
    meter.run(RESERVE, open_turns(query, 1)[0])

    assert query(PERIODS) == [("2026-03-01", 1, 0), ("2026-04-01", 0, 1)]
    assert query("select day::text, messages_used from chatbot_days order by 1") == [
        ("2026-03-31", 1),
        ("2026-04-01", 1),
    ]


def test_q08_two_hundred_writers_across_a_months_end_never_pass_either_month(
    query, database, meter, clock
):
    query("update plans set message_limit = 10")
    clock("2026-03-31 23:59:59+01:00")
    turn_ids = open_turns(query, 200)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(at_once, database, RESERVE, turn_ids)
        while not query("select from usage_holds") and not asking.done():
            pass
        clock("2026-04-01 00:00+01:00")
        decisions = asking.result()
    decisions += at_once(database, RESERVE, open_turns(query, 40))

    taken = {month: reserved for month, _, reserved in query(PERIODS)}
    assert taken["2026-04-01"] == 10 and taken["2026-03-01"] <= 10
    assert len(decisions) - decisions.count("spent") == sum(taken.values())
    assert query("select max(occurrences) from alerts where code = 'usage_near_limit'") == [(1,)]


def test_q08_a_month_needs_nobody_to_open_it_and_limits_come_back_by_themselves(
    query, meter, clock
):
    query("update plans set message_limit = 1")
    query("update chatbots set is_active = false")
    decisions = []
    for month in ("2026-01-15", "2026-05-15"):
        clock(f"{month} 12:00+00")
        decisions.append([meter.run(RESERVE, turn_id) for turn_id in open_turns(query, 2)])

    assert decisions == [["economy", "spent"]] * 2
    assert query("select is_active from chatbots") == [(False,)]


def test_d09_months_are_counted_in_the_organizations_time_zone(query, meter, clock):
    clock("2026-03-31 12:00+00")
    query("update organizations set time_zone = 'Pacific/Kiritimati'")

    meter.run(RESERVE, open_turns(query, 1)[0])

    assert query("select period_starts_on::text, held_on::text from usage_holds") == [
        ("2026-04-01", "2026-04-01")
    ]


def test_the_coming_month_is_prepared_a_day_before_and_only_once(query, operations_database, clock):
    opened = []
    for told in ("2026-03-30 12:00+00", "2026-03-31 12:00+00", "2026-03-31 13:00+00"):
        clock(told)
        opened.append(open_usage_period.main(operations_database)["periods_opened"])
    query("update plans set message_limit = 7")

    assert opened == [0, 1, 0]
    assert query("select starts_on::text, message_limit from usage_periods") == [("2026-04-01", 7)]


def test_an_ended_month_is_reported_once_with_its_figures(query, operations_database, meter, clock):
    query("insert into prices values ('m', '2026-01-01', 20000, 10000)")
    clock("2026-03-31 12:00+00")
    answered, held = open_turns(query, 2)
    meter.run(RESERVE, answered)
    pay(query, answered, 100, 50)
    meter.run(SETTLE, answered)
    query("update turns set created_at = '2026-03-31 12:00+00'")
    query("update turns set state = 'held' where id = %s", held)

    clock("2026-04-01 12:00+00")
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(open_usage_period.main, [operations_database] * 4))
    query("update alerts set posted_at = now()")
    runs.append(open_usage_period.main(operations_database))

    assert sum(run["periods_reported"] for run in runs) == 1
    reports = "select severity, summary from alerts where code = 'usage_report'"
    assert query(reports) == [
        (
            "info",
            "2026-03: 1 of 100000 turns answered, 0 refused, 1 left to people; 150 of 500000000"
            " tokens, 50 over what was reserved; cost 2.50, limit none, in cents",
        )
    ]


def test_months_that_nobody_reported_are_reported_when_the_schedule_is_back(
    query, operations_database, clock
):
    for month in ("2025-11-03", "2025-12-24", "2026-02-01"):
        query("select open_usage_period(%s, %s)", ORGANIZATION_ID, month)
    clock("2026-02-10 12:00+00")

    reported = [open_usage_period.main(operations_database)["periods_reported"] for _ in range(2)]

    assert reported == [2, 0]
    assert query("select count(*) from alerts where code = 'usage_report'") == [(2,)]


def test_a_month_is_reported_when_its_last_turn_has_ended(query, operations_database, meter, clock):
    clock("2026-03-31 22:59+00")
    (turn_id,) = open_turns(query, 1)
    meter.run(RESERVE, turn_id)
    clock("2026-04-01 12:00+00")

    reported = [open_usage_period.main(operations_database)["periods_reported"]]
    meter.run(SETTLE, turn_id)
    reported.append(open_usage_period.main(operations_database)["periods_reported"])

    assert reported == [0, 1]


def test_days_of_contacts_are_forgotten_after_the_month_that_follows(
    query, operations_database, meter
):
    meter.run(RESERVE, open_turns(query, 1)[0])
    query("update contact_days set day = day - 70")

    assert open_usage_period.main(operations_database)["days_forgotten"] == 1
