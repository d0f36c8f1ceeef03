"""What contacts ask in vain is counted, and what teammates answer becomes a document."""

import json
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

import f.knowledge.learn_from_turns as learn_from_turns
from f.knowledge.questions import GROUP, approve, lock_group
from f.shared.db import connect
from local import question_facts, questions
from local.__main__ import main as chatmill
from local.errors import CannotRun
from tests.conftest import ORGANIZATION_ID

SET_MODE = "update conversations set mode = %s where id = %s"


@pytest.fixture
def ask(query, arrive):
    """ask(text, contact) -> conversation id; a turn that the documents could not answer."""

    def run(text: str, contact: str) -> str:
        _, conversation_id, _ = arrive(text, contact_key=contact)
        ((turn_id,),) = query(
            "insert into turns (organization_id, conversation_id, arrivals_seen, state, outcome,"
            " answered_at, sent_at, saved_at, charged_at)"
            " values (%s, %s, 0, 'finished', 'reply', now(), now(), now(), now()) returning id",
            ORGANIZATION_ID,
            conversation_id,
        )
        query("update inbound_messages set turn_id = %s where turn_id is null", turn_id)
        query("""update turns set receipt = '{"is_unanswered": true}' where id = %s""", turn_id)
        return conversation_id

    return run


@pytest.fixture
def teammate(query):
    """teammate(conversation id, text, ...) answers it and gives it back to the chatbot."""

    def run(conversation_id: str, *texts: str) -> None:
        for text in texts:
            query(
                "insert into messages (organization_id, conversation_id, author, position, body,"
                " written_at) values (%s, %s, 'teammate', 0, %s, clock_timestamp())",
                ORGANIZATION_ID,
                conversation_id,
                text,
            )
        query(SET_MODE, "bot", conversation_id)

    return run


@pytest.fixture
def learn(knowledge_database, model):
    return lambda: learn_from_turns.main(knowledge_database, model)


@pytest.fixture
def groups(owner):
    """groups() -> [(times, first wording, proposed answer)] of what is open."""

    def run() -> list[tuple]:
        found = question_facts.groups(owner, ORGANIZATION_ID, is_all=False)
        return [(one["times"], one["wordings"][0], one["proposed_answer"]) for one in found]

    return run


def only_id(owner) -> str:
    (group,) = question_facts.groups(owner, ORGANIZATION_ID, is_all=True)
    return group["id"][:8]


def wait_for_a_lock(query, other: Future) -> None:
    while query("select count(*) from pg_locks where not granted") == [(0,)]:
        assert not other.done(), "it did not wait"


def test_questions_that_ask_the_same_are_counted_together(ask, learn, groups):
    ask("Do you ship to the Canary Islands?", "1")
    ask("do you ship to the canary islands", "2")
    ask("Which grinder is the quietest one?", "3")

    assert learn() == {"questions_grouped": 3, "answers_drafted": 0}
    assert groups() == [
        (2, "Do you ship to the Canary Islands?", None),
        (1, "Which grinder is the quietest one?", None),
    ]


def test_grouping_twice_changes_nothing_and_later_questions_join(ask, learn, groups):
    ask("Do you ship to the Canary Islands?", "1")
    learn()
    ask("do you ship to the canary islands", "2")

    assert [learn()["questions_grouped"], learn()["questions_grouped"]] == [1, 0]
    assert [times for times, *_ in groups()] == [2]


def test_two_workers_at_once_open_one_group(ask, knowledge_database, query):
    ask("Do you ship to the Canary Islands?", "1")
    ask("do you ship to the canary islands", "2")
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
        group(first, lambda: (begun.set(), wait_for_a_lock(query, other)))
        other.result(10)

    assert query("select count(*) from question_groups") == [(1,)]


def test_what_a_teammate_answered_is_proposed_once_the_conversation_is_given_back(
    ask, teammate, learn, groups, query
):
    conversation_id = ask("Do you ship to the Canary Islands?", "1")
    query(SET_MODE, "human", conversation_id)
    learn()
    assert groups()[0][2] is None

    teammate(conversation_id, "Hi Ada!", "Which island?", "Yes, by sea within ten days.")
    learn()

    assert groups()[0][2] == "Yes, by sea within ten days."
    assert learn()["answers_drafted"] == 0


@pytest.mark.parametrize(
    "answer", ["Yes.", "14 days", "Yes, by sea.", "Hi, yes of course!", "Sim."]
)
def test_a_short_answer_is_proposed_too(ask, teammate, learn, groups, answer):
    courtesies = ("Hi Ada!", "Good morning", "One moment, please...", "Let me check that for you")
    teammate(ask("Do you ship to the Canary Islands?", "1"), *courtesies, answer, "Thank you!")
    learn()

    assert groups()[0][2] == answer


def test_courtesies_alone_are_no_answer(ask, teammate, learn, groups):
    said = (
        "Hello there",
        "Olá, bom dia!",
        "Einen Moment bitte",
        "ok",
        "You're welcome",
        "Bye!",
    )
    teammate(ask("Do you ship to the Canary Islands?", "1"), *said)
    learn()

    assert groups()[0][2] is None


def test_an_approved_answer_becomes_a_source_by_the_usual_way(
    ask, teammate, learn, groups, owner, query, installed, capsys
):
    teammate(ask("Do you ship to the Canary Islands?", "1"), "Yes, by sea within ten days.")
    learn()

    assert chatmill(["questions", "approve", only_id(owner), "--json"]) == 0

    (source,) = json.loads(capsys.readouterr().out)
    assert source["state"] == "ready"
    assert query("select question, content from chunks") == [
        ("Do you ship to the Canary Islands?", "Yes, by sea within ten days.")
    ]
    assert query("select state, source_id::text from answer_drafts") == [("approved", source["id"])]
    assert groups() == []


def test_an_approved_answer_is_for_the_chatbot_that_was_asked(ask, learn, owner, query, installed):
    query("update chatbots set source_tags = '{Shop,north}'")
    ask("Do you ship to the Canary Islands?", "1")
    learn()

    chatmill(["questions", "approve", only_id(owner), "--answer", "Yes, by sea."])

    assert query("select tags from documents where is_active") == [(["north", "shop"],)]


def test_of_two_who_approve_at_once_the_second_is_told(ask, learn, owner, query, installed, capsys):
    ask("Do you ship to the Canary Islands?", "1")
    learn()
    (group,) = question_facts.groups(owner, ORGANIZATION_ID, is_all=True)
    command = ["approve", group["id"], "--answer", "No."]

    with ThreadPoolExecutor(1) as pool:
        with connect(owner) as conn:
            lock_group(conn, ORGANIZATION_ID, group["id"])
            second = pool.submit(questions.main, command)
            wait_for_a_lock(query, second)
            approve(conn, ORGANIZATION_ID, group["id"], "Canary Islands?", "Yes.", None)
        with pytest.raises(CannotRun, match="somebody else decided on it just now"):
            second.result(10)

    assert query("select count(*) from sources where name like 'Canary%%'") == [(1,)]
    assert questions.main(command) == 0


def test_an_answered_question_is_open_again_when_it_is_asked_in_vain_later(
    ask, learn, groups, owner, installed
):
    ask("Do you ship to the Canary Islands?", "1")
    learn()
    chatmill(["questions", "approve", only_id(owner), "--answer", "Yes, by sea."])
    assert groups() == []

    ask("do you ship to the canary islands", "2")
    learn()

    assert [times for times, *_ in groups()] == [2]


def test_a_rejected_answer_is_never_proposed_again_but_another_teammates_is(
    ask, teammate, learn, groups, owner, installed
):
    teammate(ask("Do you ship to the Canary Islands?", "1"), "No idea, sorry, I am new.")
    learn()
    assert chatmill(["questions", "reject", only_id(owner)]) == 0
    learn()
    assert groups()[0][2] is None

    teammate(ask("do you ship to the canary islands", "2"), "Yes, by sea within ten days.")
    learn()

    assert groups()[0][2] == "Yes, by sea within ten days."


def test_a_dismissed_question_is_not_listed_however_often_it_is_asked(
    ask, learn, groups, owner, installed
):
    ask("What is the meaning of life?", "1")
    learn()
    assert chatmill(["questions", "dismiss", only_id(owner)]) == 0

    ask("what is the meaning of life", "2")
    learn()

    assert groups() == []


def test_all_questions_are_listed_with_or_without_the_verb(ask, learn, owner, installed, capsys):
    ask("What is the meaning of life?", "1")
    learn()
    chatmill(["questions", "dismiss", only_id(owner)])
    capsys.readouterr()

    for command, listed in (["--all"], 1), (["list", "--all"], 1), ([], 0), (["list"], 0):
        chatmill(["questions", *command, "--json"])
        assert len(json.loads(capsys.readouterr().out)["groups"]) == listed


def test_a_transaction_of_another_organization_sees_no_question(
    ask, knowledge_database, make_organization
):
    ask("Do you ship to the Canary Islands?", "1")

    seen = []
    for organization_id in (make_organization(), ORGANIZATION_ID):
        with connect(knowledge_database) as conn, conn.cursor() as cursor:
            cursor.execute("select enter_organization(%s)", [organization_id])
            cursor.execute("select question from questions_to_group(10)")
            seen.append(cursor.fetchall())

    assert seen == [[], [("Do you ship to the Canary Islands?",)]]


def test_the_list_fits_eighty_columns_and_says_what_to_do(
    ask, teammate, learn, owner, installed, capsys
):
    long = "Could you please tell me whether you ship heavy machines to the Canary Islands? " * 3
    teammate(ask(long, "1"), "Yes, by sea, with all papers. Write to ada@example.com. " * 3)
    ask("Which grinder is the quietest one?", "2")
    learn()
    ask("Not looked at yet", "3")

    assert chatmill(["questions"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any("questions approve" in line for line in lines)
    assert any("is it for everybody?" in line for line in lines)
    assert any("1 more" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["approve", "ffffffff"], "there is no question ffffffff"),
        (["reject"], "no answer is proposed"),
        (["approve"], "no answer is proposed for it: give one with --answer"),
    ],
)
def test_what_cannot_be_decided_is_said(ask, learn, owner, installed, capsys, arguments, sentence):
    ask("Which grinder is the quietest one?", "1")
    learn()
    named = arguments if len(arguments) > 1 else [*arguments, only_id(owner)]

    assert chatmill(["questions", *named]) == 1
    assert sentence in capsys.readouterr().err


def test_an_organization_that_cannot_be_one_is_said(capsys):
    with pytest.raises(SystemExit):
        chatmill(["questions", "--organization", "x"])

    assert "invalid organization value: 'x'" in capsys.readouterr().err
