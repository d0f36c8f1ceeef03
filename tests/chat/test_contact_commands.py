"""Commands that a contact may write on every channel, from the webhook to the reply."""

import itertools
import json

import pytest

from f.channels import commands
from f.channels.command_words import COMMANDS, REPLIES, WORDS
from f.chat import load_turn, record_usage, run_agent, save_turn, send_reply
from tests.channels.vendors import add_channel, post
from tests.chat.tools import MODEL
from tests.conftest import SEALING_KEY
from tests.scripted_model import says

_numbers = itertools.count(1)


@pytest.fixture
def chat(query, windmill, database, model, monkeypatch):
    """chat(text, ...) -> what the contact reads, on a Telegram bot that answers at once."""
    sent = []
    add_channel(query, "telegram", "4242")
    monkeypatch.setattr(
        "f.channels.telegram.send_text",
        lambda credentials, to, text, reference: sent.append(text) or f"5:{100 + len(sent)}",
    )

    def write(*texts: str, language="en", thought=()) -> list[str]:
        for text in texts:
            _arrive(text, language)
        model.will(*[says(each) for each in thought])
        [(conversation_id,)] = query("select id::text from conversations")
        query("update conversation_work set due_at = now() where due_at is not null")
        already = len(sent)
        turn = load_turn.main(database, MODEL, conversation_id)
        if turn["decision"] == "answer":
            _answer(database, model, conversation_id, turn)
        return sent[already:]

    return write


def _arrive(text: str, language: str, numbers=_numbers) -> None:
    sender = {"id": 5, "first_name": "Ada", "language_code": language}
    message = {"message_id": next(numbers), "chat": {"id": 5, "type": "private"}, "from": sender}
    post("telegram", "4242", {"update_id": 1, "message": {**message, "text": text}})


def _answer(database, model, conversation_id: str, turn: dict) -> None:
    turn_id, fence = turn["turn_id"], turn["fence"]
    run_agent.main(database, model.resource, turn_id, fence)
    send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)
    save_turn.main(database, conversation_id, turn_id, fence)
    record_usage.main(database, conversation_id, turn_id, fence)


def test_help_is_answered_without_a_model_and_offers_what_can_be_done(chat, model):
    [reply] = chat("/help")

    assert "automatic assistant" in reply
    assert "[Human](reply:)" in reply
    assert model.requests == []


@pytest.mark.parametrize(
    ("text", "language", "begins"),
    [
        ("Hilfe", "en", "Ich bin"),  # the word's language goes before the device's
        ("/help", "pt-BR", "Sou"),
        ("HELP!", "xx", "I am"),
    ],
)
def test_a_command_is_answered_in_its_language(chat, text, language, begins):
    [reply] = chat(text, language=language)

    assert reply.startswith(begins)


def test_after_clear_the_model_sees_nothing_of_before_and_the_contact_is_told(chat, query, model):
    chat("I am Ada and own a grinder", thought=["Noted."])
    [reply] = chat("/clear")
    chat("What do I own?", thought=["I do not know."])

    assert "stay with the company" in reply
    assert "grinder" not in json.dumps(model.requests[-1]["messages"])
    assert query("select count(*) from messages where body like '%%grinder%%'") == [(1,)]


def test_a_question_beside_a_command_is_answered_too(chat):
    replies = chat("/clear", "Do you ship to Malta?", thought=["Yes, we do."])

    assert len(replies) == 2
    assert replies[1] == "Yes, we do."


def test_stats_count_this_conversation(chat):
    chat("Hi there, a question", thought=["Hello."])
    [reply] = chat("/stats")

    assert "you wrote 2 messages" in reply
    assert "answered 1 times" in reply


def test_feedback_is_kept_and_an_empty_one_explained(chat, query):
    [thanks] = chat("/feedback Too slow on Sundays")
    [how] = chat("/feedback")

    assert query("select body from feedback") == [("Too slow on Sundays",)]
    assert (thanks, "/feedback" in how) == (REPLIES["en"]["feedback"], True)


def test_a_contact_who_wants_a_person_gets_one_and_the_bot_is_silent(chat, query):
    [reply] = chat("Human")
    more = chat("Are you there?")

    assert "person will take over" in reply
    assert more == []
    assert query("select mode from conversations") == [("human",)]
    assert query("select code from alerts") == [("handoff_asked",)]


def test_stop_is_confirmed_once_and_then_there_is_silence_until_start(chat, query):
    confirmed = chat("STOP")
    silent = chat("One more question")
    back = chat("start")

    assert (len(confirmed), silent, len(back)) == (1, [], 1)
    assert query("select opted_out_at from contacts") == [(None,)]


def test_an_organization_has_its_own_words_and_replies(chat, query):
    own = {"commands": {"help": {"words": ["menu"], "reply": "Ask {name} {anything}."}}}
    query("update channels set settings = %s where kind = 'telegram'", json.dumps(own))

    [reply] = chat("Menu")

    assert reply.startswith("Ask Nora {anything}.")


@pytest.mark.parametrize(
    "text", ["please stop sending me these", "stats", "help me with my order", "/unknown", "/", ""]
)
def test_a_sentence_with_the_word_in_it_is_no_command(text):
    assert commands.read(text, {}) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hilfe", "help"),
        ("/vergessen", "clear"),
        ("baja", None),
        ("/avis so", None),
        ("human", None),
        ("STOP", "stop"),
        ("Start!", "start"),
        ("menu", "help"),
    ],
)
def test_where_languages_are_named_words_of_others_are_only_words(text, name):
    own = {"command_languages": ["de"], "commands": {"help": {"words": ["menu"]}}}
    found = commands.read(text, own)

    assert (found and found.name) == name


def test_every_language_has_every_word_and_every_reply():
    for language in WORDS:
        assert set(WORDS[language]) == set(COMMANDS)
        assert set(REPLIES[language]) == {*COMMANDS, "feedback_empty"}
