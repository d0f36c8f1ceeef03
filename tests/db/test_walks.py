"""Every order of two sessions, statement by statement, and what must hold after each."""

import itertools

import pytest

from local.postgres import data_source_name
from tests.conftest import CHANNEL_ID, ORGANIZATION_ID
from tests.db.turns import claim, commit, gather
from tests.db.usage import RELEASE, RESERVE, SETTLE, open_turns, pay
from tests.db.walks import Walker

LEFT = """
select due_at is not null, lease_until is not null, nudged_until is not null,
       (select count(*) from inbound_messages
         where state = 'waiting' and conversation_id = work.conversation_id)
  from conversation_work as work where conversation_id = %s
"""


@pytest.fixture
def walker(conn):
    """walker(resource, resource) of the two sessions."""
    made = []

    def make(*resources: dict) -> Walker:
        made.append(Walker(conn, [data_source_name(resource) for resource in resources]))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def ingress(databases) -> dict:
    return databases["f/channels/ingress_database"]


@pytest.fixture
def thinks(query, arrive):
    """Each call: a conversation of its own whose turn is being thought about:
    (contact key, conversation id, turn id, fence)."""
    numbers = iter(range(10_000))

    def make() -> tuple:
        contact_key = f"1777{next(numbers):04d}"
        _, conversation_id, _ = arrive("Hi?", contact_key=contact_key)
        _, fence, arrivals = claim(query, conversation_id)
        _, _, turn_id = gather(query, conversation_id, fence, arrivals)
        return contact_key, conversation_id, turn_id, fence

    return make


@pytest.fixture
def ends(query, thinks):
    """Each call: a conversation whose turn is sent and saved, what arrives in it and what ends it:
    (conversation id, [statements of both])."""

    def make() -> tuple:
        contact_key, conversation_id, turn_id, fence = thinks()
        commit(query, turn_id, fence)
        query("update turns set sent_at = now(), saved_at = now() where id = %s", turn_id)
        ingest = (
            f"select wait_seconds from accept_message('{CHANNEL_ID}', '{contact_key}', null, null,"
            f" 'wamid.{contact_key}', 'text', 'more?', null, null, now())"
        )
        release = f"select complete_turn('{turn_id}', {fence}, 'charged')"
        return conversation_id, [[ingest, "commit"], [release, "commit"]]

    return make


def test_o13_a_message_that_arrives_in_any_moment_of_a_release_wakes_one_flow(
    query, walker, ingress, database, ends
):
    walk = walker(ingress, database)
    walk.watch("conversation_work", events="insert or update")
    made = []
    orders = 0

    for order in walk.walks(lambda: made.append(ends()) or made[-1][1]):
        orders += 1
        flows = [session.answers[0] for session in walk.sessions if session.answers[0] is not None]
        assert query(LEFT, made[-1][0]) == [(True, False, True, 1)], order
        assert len(flows) == 1, order
    assert orders > 10


def test_o13_the_walk_finds_what_a_release_that_looks_for_messages_loses(
    query, walker, ingress, owner, ends
):
    """The obvious statement: waiting for the row's lock, it keeps the snapshot of before."""
    walk = walker(ingress, owner)
    walk.watch("conversation_work", events="insert or update")
    made = []

    def start() -> list[list[str]]:
        made.append(ends())
        conversation_id, [ingest, _] = made[-1]
        looks = (
            "update conversation_work set lease_until = null, due_at = case when exists (select"
            " from inbound_messages where state = 'waiting' and conversation_id ="
            f" '{conversation_id}') then due_at end where conversation_id = '{conversation_id}'"
            " returning due_at"
        )
        return [ingest, [looks, "commit"]]

    lost = [order for order in walk.walks(start) if query(LEFT, made[-1][0])[0][0] is False]

    assert lost != []


TAKE_OVER = "update conversations set mode = 'human' where id = '{}'"
REPLIES = """
select (select state from turns where conversation_id = conversations.id),
       (select state from inbound_messages where conversation_id = conversations.id),
       (select string_agg(state, ' ') from outbound_messages
         where conversation_id = conversations.id)
  from conversations where id = %s
"""


def test_o10_a_takeover_in_any_moment_of_a_commit_is_seen_by_it_or_comes_after_it(
    query, walker, owner, database, thinks
):
    walk = walker(owner, database)
    walk.watch("conversations", "conversation_work", "turns", "inbound_messages")
    made = []

    def start() -> list[list[str]]:
        made.append(thinks())
        _, conversation_id, turn_id, fence = made[-1]
        committing = f"select commit_turn('{turn_id}', {fence}, '{{Soon.}}', '{{}}', false)"
        return [[TAKE_OVER.format(conversation_id), "commit"], [committing, "commit"]]

    ends = {"held": ("held", "held", None), "answered": ("answered", "answered", "ready")}
    for order in walk.walks(start):
        said = walk.sessions[1].answers[0]
        assert query(REPLIES, made[-1][1]) == [ends[said]], order
        assert said == "held" or walk.ended.index(1) > walk.ended.index(2), order


def test_o10_nothing_is_sent_after_a_takeover_in_any_moment_of_the_send(
    query, walker, owner, database, thinks
):
    walk = walker(owner, database)
    walk.watch("conversations", "conversation_work", "outbound_messages")
    made = []

    def start() -> list[list[str]]:
        made.append(thinks())
        _, conversation_id, turn_id, fence = made[-1]
        commit(query, turn_id, fence)
        claiming = f"select outcome from claim_outbound_message('{turn_id}', {fence})"
        return [[TAKE_OVER.format(conversation_id), "commit"], [claiming, "commit"]]

    for order in walk.walks(start):
        said = walk.sessions[1].answers[0]
        assert query(REPLIES, made[-1][1])[0][2] == {"send": "sending", "done": "failed"}[said]
        assert said == "done" or walk.ended.index(1) > walk.ended.index(2), order


BOOKS = """
select messages_used + messages_reserved - message_limit,
       messages_reserved = (select count(*) from usage_holds)
         and tokens_reserved = (select sum(tokens) from usage_holds),
       tokens_used + tokens_reserved <= token_limit
  from usage_periods
"""


def asks(text: str, turn_id: str) -> list[str]:
    values = {"turn": f"'{turn_id}'", "model": "'m'", "tokens": 100}
    return [f"select prove_organization('{ORGANIZATION_ID}')", text % values, "commit"]


@pytest.mark.parametrize(
    "meanwhile", [RESERVE, SETTLE, RELEASE], ids=["reserve", "settle", "release"]
)
def test_q01_no_order_of_two_turns_at_the_last_message_passes_the_limit(
    query, walker, owner, meter, meanwhile
):
    """What is left is one message, which the second turn takes, holds and uses, or gives back."""
    walk = walker(owner, owner)
    walk.watch("usage_periods", events="update")

    def start() -> list[list[str]]:
        first, second = open_turns(query, 2)
        query("update usage_periods set message_limit = 1000000")
        if meanwhile != RESERVE:
            meter.run(RESERVE, second)
            pay(query, second)
        query("update usage_periods set message_limit = messages_used + messages_reserved + %s",
              int(meanwhile == RESERVE))  # fmt: skip
        return [asks(RESERVE, first), asks(meanwhile, second)]

    meter.run(RESERVE, open_turns(query, 1)[0])
    for order in walk.walks(start):
        said = walk.sessions[0].answers[1]
        [(over, is_booked, has_tokens)] = query(BOOKS)
        assert (over <= 0, is_booked, has_tokens) == (True, True, True), order
        if meanwhile == RESERVE:
            assert [said, walk.sessions[1].answers[1]].count("spent") == 1, order
        elif meanwhile == RELEASE and order.index(1) == order.count(2):
            assert said != "spent", order
        elif meanwhile == SETTLE:
            assert said == "spent", order


CHARGED = """
select model_calls, input_tokens + output_tokens, state
  from usage_events join turns on turns.id = turn_id where turn_id = %s
"""
MONTH = """
select messages_reserved + tokens_reserved, tokens_used + tokens_overrun - (
         select sum(input_tokens + output_tokens) from usage_events)
  from usage_periods
"""


@pytest.fixture
def overtaken(query, thinks):
    """Each call: a turn that is sent and saved, and that its first worker lost with a paid call;
    (turn id, [statements of who books that call, of who charges and completes the turn])."""

    def make(between: list[str]) -> tuple:
        _, conversation_id, turn_id, fence = thinks()
        commit(query, turn_id, fence)
        query("update turns set sent_at = now(), saved_at = now() where id = %s", turn_id)
        query("update conversation_work set fence = fence + 1 where conversation_id = %s",
              conversation_id)  # fmt: skip
        lost = f"select book_lost_call('{turn_id}', {fence}, 0, '{turn_id}', 'm', 30, 20, false)"
        charge = f"select charge_turn('{turn_id}', {fence + 1})"
        complete = f"select complete_turn('{turn_id}', {fence + 1}, 'charged')"
        return turn_id, [[lost, "commit", lost], [charge, *between, complete, "commit"]]

    return make


@pytest.mark.parametrize("between", [[], ["commit"]], ids=["one transaction", "two transactions"])
def test_k14_a_lost_call_in_any_moment_of_a_twins_charge_is_charged_once(
    query, walker, database, overtaken, between
):
    walk = walker(database, database)
    walk.watch("conversation_work", "turns")
    walk.watch("model_calls", "usage_events", "usage_periods", events="insert or update")
    walk.watch("usage_holds", events="delete")
    made, overruns = [], [0]

    for order in walk.walks(lambda: made.append(overtaken(between)) or made[-1][1]):
        booked, _, again = walk.sessions[0].answers
        assert (booked, again) == (True, False), order
        assert query(CHARGED, made[-1][0]) == [(2, 170, "finished")], order
        assert query(MONTH) == [(0, 0)], order
        overruns += query("select tokens_overrun from usage_periods")[0]
    late = {after - before for before, after in itertools.pairwise(overruns)}
    assert late == {0, 50}
