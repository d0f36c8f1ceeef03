"""Quota: reserved before, settled after, never passed by however many at once."""

from concurrent.futures import ThreadPoolExecutor

from tests.conftest import ORGANIZATION_ID, connected
from tests.db.turns import pay


def reserve(database, tokens=100):
    """For a turn of its own: normal, or why not."""
    with connected(database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select reserve_usage((select row(null, id, null, null, 'bot', now())::conversations"
            " from organizations where id = %s), gen_random_uuid(), 'm', %s)",
            (ORGANIZATION_ID, tokens),
        )
        connection.commit()
        return cursor.fetchone()[0]


def test_the_first_turn_of_a_month_opens_its_period(query, database):
    reserve(database)

    assert query("select messages_used, tokens_reserved from usage_periods") == [(1, 100)]


def test_fifty_at_once_never_pass_the_limit(query, database):
    query("update plans set message_limit = 20")

    with ThreadPoolExecutor(10) as pool:
        reserved = list(pool.map(lambda _: reserve(database), range(50)))

    assert reserved.count("normal") == 20
    assert query("select messages_used, tokens_reserved from usage_periods") == [(20, 2000)]


def test_a_spent_token_limit_refuses_the_next_turn(query, database):
    query("update plans set token_limit = 250")

    reserved = [reserve(database) for _ in range(3)]

    assert reserved == ["normal", "normal", "spent"]


def test_nearing_and_reaching_the_limit_each_raise_one_alert(query, database):
    query("update plans set message_limit = 10")

    for _ in range(12):
        reserve(database, tokens=1)

    assert query("select code, fingerprint like '%%messages' from alerts order by id") == [
        ("usage_near_limit", True),
        ("usage_spent", True),
        ("usage_spent", False),
    ]


def test_months_are_counted_in_the_organizations_time_zone(query, database):
    query("update organizations set time_zone = 'Pacific/Kiritimati'")

    reserve(database)

    assert query(
        "select starts_on = date_trunc('month', now() at time zone 'Pacific/Kiritimati')::date"
        " from usage_periods"
    ) == [(True,)]


def test_a_refused_turn_keeps_its_messages_for_people(query, arrive):
    query("update plans set message_limit = 0")
    _, conversation_id, _ = arrive("Hi")
    query("select from claim_conversation(%s)", conversation_id)

    decision = query("select decision from gather_turn(%s, 1, 1, 'm', 8000, 5)", conversation_id)

    assert decision == [("refuse",)]
    assert query("select state from inbound_messages") == [("refused",)]
    assert query("select due_at, lease_until from conversation_work") == [(None, None)]
    assert query("select code from alerts") == [("usage_spent",)]


def test_a_price_of_another_day_is_not_used(query):
    query("insert into prices values ('m', current_date - 9, 2, 3), ('m', current_date + 1, 9, 9)")

    assert query("select price_of('m', 10, 100), price_of('unknown', 1, 1)") == [(320, None)]


def test_a_turn_that_used_more_than_it_reserved_is_charged_what_it_used(query, database, thinking):
    _, turn_id, fence = thinking
    query("update usage_periods set token_limit = 8000")
    pay(query, turn_id, fence, 9000, 500)

    query("select charge_turn(%s, %s)", turn_id, fence)

    assert query("select tokens_used, tokens_reserved from usage_periods") == [(9500, 0)]
    assert reserve(database, tokens=1) == "spent"
