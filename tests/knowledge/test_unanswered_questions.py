"""What contacts ask in vain is counted, and what teammates answered to it is proposed."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from f.knowledge.questions import GROUP
from f.shared.db import connect
from tests.conftest import ORGANIZATION_ID


def test_questions_that_ask_the_same_are_counted_together(ask_in_vain, learn, groups):
    ask_in_vain("Do you ship to the Canary Islands?", "1")
    ask_in_vain("do you ship to the canary islands", "2")
    ask_in_vain("Which grinder is the quietest one?", "3")

    assert learn() == {"questions_grouped": 3, "answers_drafted": 0}
    assert groups() == [
        (2, "Do you ship to the Canary Islands?", None),
        (1, "Which grinder is the quietest one?", None),
    ]


def test_grouping_twice_changes_nothing_and_later_questions_join(ask_in_vain, learn, groups):
    ask_in_vain("Do you ship to the Canary Islands?", "1")
    learn()
    ask_in_vain("do you ship to the canary islands", "2")

    assert [learn()["questions_grouped"], learn()["questions_grouped"]] == [1, 0]
    assert [times for times, *_ in groups()] == [2]


def test_two_workers_at_once_open_one_group(
    ask_in_vain, knowledge_database, query, wait_for_a_lock
):
    ask_in_vain("Do you ship to the Canary Islands?", "1")
    ask_in_vain("do you ship to the canary islands", "2")
    first, second = query("select turn_id::text from unanswered_questions")

    def group(turn_id, meanwhile=lambda: None):
        with connect(knowledge_database) as conn, conn.cursor() as cursor:
            cursor.execute("select enter_organization(%s)", [ORGANIZATION_ID])
            cursor.execute(GROUP, [turn_id, "model-a", "[1,0]", 0.9])
            meanwhile()

    with ThreadPoolExecutor(1) as pool:
        begun = Event()

        def start():
            begun.wait(10)
            group(second)

        other = pool.submit(start)
        group(first, lambda: (begun.set(), wait_for_a_lock(other)))
        other.result(10)

    assert query("select count(*) from question_groups") == [(1,)]


def test_what_a_teammate_answered_is_proposed_once_the_conversation_is_given_back(
    ask_in_vain, teammate, learn, groups, query
):
    conversation_id = ask_in_vain("Do you ship to the Canary Islands?", "1")
    query("update conversations set mode = 'human' where id = %s", conversation_id)
    learn()
    assert groups()[0][2] is None

    teammate(conversation_id, "Hi Ada!", "Which island?", "Yes, by sea within ten days.")
    learn()

    assert groups()[0][2] == "Yes, by sea within ten days."
    assert learn()["answers_drafted"] == 0


@pytest.mark.parametrize(
    "answer", ["Yes.", "14 days", "Yes, by sea.", "Hi, yes of course!", "Sim."]
)
def test_a_short_answer_is_proposed_too(ask_in_vain, teammate, learn, groups, answer):
    courtesies = ("Hi Ada!", "Good morning", "One moment, please...", "Let me check that for you")
    teammate(
        ask_in_vain("Do you ship to the Canary Islands?", "1"), *courtesies, answer, "Thank you!"
    )
    learn()

    assert groups()[0][2] == answer


def test_courtesies_alone_are_no_answer(ask_in_vain, teammate, learn, groups):
    said = (
        "Hello there",
        "Olá, bom dia!",
        "Einen Moment bitte",
        "ok",
        "You're welcome",
        "Bye!",
    )
    teammate(ask_in_vain("Do you ship to the Canary Islands?", "1"), *said)
    learn()

    assert groups()[0][2] is None


def test_a_transaction_of_another_organization_sees_no_question(
    ask_in_vain, knowledge_database, make_organization
):
    ask_in_vain("Do you ship to the Canary Islands?", "1")

    seen = []
    for organization_id in (make_organization(), ORGANIZATION_ID):
        with connect(knowledge_database) as conn, conn.cursor() as cursor:
            cursor.execute("select enter_organization(%s)", [organization_id])
            cursor.execute("select question from questions_to_group(10)")
            seen.append(cursor.fetchall())

    assert seen == [[], [("Do you ship to the Canary Islands?",)]]
