"""What is decided on questions that were asked in vain: approved, rejected, dismissed, listed."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from f.knowledge.questions import approve, lock_group
from f.shared.db import connect
from local import question_facts, questions
from local.__main__ import main as chatmill
from local.errors import CannotRun
from tests.conftest import ORGANIZATION_ID


def only_id(owner) -> str:
    (group,) = question_facts.groups(owner, ORGANIZATION_ID, is_all=True)
    return group["id"][:8]


def test_an_approved_answer_becomes_a_source_by_the_usual_way(
    ask_in_vain, teammate, learn, groups, owner, query, installed, capsys
):
    teammate(ask_in_vain("Do you ship to the Canary Islands?", "1"), "Yes, by sea within ten days.")
    learn()

    assert chatmill(["questions", "approve", only_id(owner), "--json"]) == 0

    (source,) = json.loads(capsys.readouterr().out)
    assert source["state"] == "ready"
    assert query("select question, content from chunks") == [
        ("Do you ship to the Canary Islands?", "Yes, by sea within ten days.")
    ]
    assert query("select state, source_id::text from answer_drafts") == [("approved", source["id"])]
    assert groups() == []


def test_an_approved_answer_is_for_the_chatbot_that_was_asked(
    ask_in_vain, learn, owner, query, installed
):
    query("update chatbots set source_tags = '{Shop,north}'")
    ask_in_vain("Do you ship to the Canary Islands?", "1")
    learn()

    chatmill(["questions", "approve", only_id(owner), "--answer", "Yes, by sea."])

    assert query("select tags from documents where is_active") == [(["north", "shop"],)]


def test_of_two_who_approve_at_once_the_second_is_told(
    ask_in_vain, learn, owner, query, installed, wait_for_a_lock
):
    ask_in_vain("Do you ship to the Canary Islands?", "1")
    learn()
    (group,) = question_facts.groups(owner, ORGANIZATION_ID, is_all=True)
    command = ["approve", group["id"], "--answer", "No."]

    with ThreadPoolExecutor(1) as pool:
        with connect(owner) as conn:
            lock_group(conn, ORGANIZATION_ID, group["id"])
            second = pool.submit(questions.main, command)
            wait_for_a_lock(second)
            approve(conn, ORGANIZATION_ID, group["id"], "Canary Islands?", "Yes.", None)
        with pytest.raises(CannotRun, match="somebody else decided on it just now"):
            second.result(10)

    assert query("select count(*) from sources where name like 'Canary%%'") == [(1,)]
    assert questions.main(command) == 0


def test_an_answered_question_is_open_again_when_it_is_asked_in_vain_later(
    ask_in_vain, learn, groups, owner, installed
):
    ask_in_vain("Do you ship to the Canary Islands?", "1")
    learn()
    chatmill(["questions", "approve", only_id(owner), "--answer", "Yes, by sea."])
    assert groups() == []

    ask_in_vain("do you ship to the canary islands", "2")
    learn()

    assert [times for times, *_ in groups()] == [2]


def test_a_rejected_answer_is_never_proposed_again_but_another_teammates_is(
    ask_in_vain, teammate, learn, groups, owner, installed
):
    teammate(ask_in_vain("Do you ship to the Canary Islands?", "1"), "No idea, sorry, I am new.")
    learn()
    assert chatmill(["questions", "reject", only_id(owner)]) == 0
    learn()
    assert groups()[0][2] is None

    teammate(ask_in_vain("do you ship to the canary islands", "2"), "Yes, by sea within ten days.")
    learn()

    assert groups()[0][2] == "Yes, by sea within ten days."


def test_a_dismissed_question_is_not_listed_however_often_it_is_asked(
    ask_in_vain, learn, groups, owner, installed
):
    ask_in_vain("What is the meaning of life?", "1")
    learn()
    assert chatmill(["questions", "dismiss", only_id(owner)]) == 0

    ask_in_vain("what is the meaning of life", "2")
    learn()

    assert groups() == []


def test_all_questions_are_listed_with_or_without_the_verb(
    ask_in_vain, learn, owner, installed, capsys
):
    ask_in_vain("What is the meaning of life?", "1")
    learn()
    chatmill(["questions", "dismiss", only_id(owner)])
    capsys.readouterr()

    for command, listed in (["--all"], 1), (["list", "--all"], 1), ([], 0), (["list"], 0):
        chatmill(["questions", *command, "--json"])
        assert len(json.loads(capsys.readouterr().out)["groups"]) == listed


def test_the_list_fits_eighty_columns_and_says_what_to_do(
    ask_in_vain, teammate, learn, owner, installed, capsys
):
    long = "Could you please tell me whether you ship heavy machines to the Canary Islands? " * 3
    teammate(ask_in_vain(long, "1"), "Yes, by sea, with all papers. Write to ada@example.com. " * 3)
    ask_in_vain("Which grinder is the quietest one?", "2")
    learn()
    ask_in_vain("Not looked at yet", "3")

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
def test_what_cannot_be_decided_is_said(
    ask_in_vain, learn, owner, installed, capsys, arguments, sentence
):
    ask_in_vain("Which grinder is the quietest one?", "1")
    learn()
    named = arguments if len(arguments) > 1 else [*arguments, only_id(owner)]

    assert chatmill(["questions", *named]) == 1
    assert sentence in capsys.readouterr().err


def test_an_organization_that_cannot_be_one_is_said(capsys):
    with pytest.raises(SystemExit):
        chatmill(["questions", "--organization", "x"])

    assert "invalid organization value: 'x'" in capsys.readouterr().err
