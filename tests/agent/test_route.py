"""Who answers: the chatbot, a person, or nobody."""

import pytest

from f.agent.route import answer_confidence, spam_confidence, wants_person

USUAL = 0.95


@pytest.mark.parametrize(
    "question",
    [
        "Can I talk to a human?",
        "I want to speak with a real person please",
        "agent",
        "Human, please!",
        "Quero falar com uma pessoa",
        "Quiero hablar con un agente",
        "Kann ich mit einem Mitarbeiter sprechen?",
        "Je veux parler à un conseiller",
        "I need a human",
    ],
)
def test_a_plain_wish_for_a_person_is_heard(question):
    assert wants_person(question)


@pytest.mark.parametrize(
    "question",
    [
        "How long do refunds take?",
        "can I talk to a human on saturday",
        "When can I speak to a person?",
        "Does a person or a machine roast the beans?",
        "Is your espresso machine for one person?",
        "I spoke with someone yesterday who told me my parcel would come by Friday, is it so?",
    ],
)
def test_who_only_mentions_a_person_is_answered(question):
    assert not wants_person(question)


@pytest.mark.parametrize(
    "text",
    [
        "Earn $5000 a week with crypto! Guaranteed profit, join our channel https://t.me/x",
        "Dear Sir, I have an inheritance of 5 million dollars, a risk-free investment for you",
        "SEO services: rank #1 on Google, backlinks, limited offer, click here http://seo.example",
        "Casino bonus 100% free!! act now https://casino.example http://b.example",
    ],
)
def test_mass_mail_is_surely_spam(text):
    assert spam_confidence(text) > USUAL


@pytest.mark.parametrize(
    "text",
    [
        "How long do refunds take?",
        "Is this yours? https://shop.example/coffee",
        "Your crypto payment failed, what now?",
        "Do you have a limited time offer on the grinder? I saw it on https://a.example",
        "CALL ME NOW!!! +351 912 345 678",
        "Which is better: https://a.example/x, https://a.example/y or https://a.example/z?",
    ],
)
def test_a_customers_message_is_not_spam(text):
    assert spam_confidence(text) < USUAL


def looked_up(*scores):
    return {"tool": "knowledge", "result": {"passages": [{"score": one} for one in scores]}}


def test_an_answer_is_as_sure_as_what_was_found_and_what_the_model_made_of_it():
    def sure(best, cited, others=(0.3, 0.3)):
        return answer_confidence(
            [looked_up(best, *others)], False, [{"score": one} for one in cited]
        )

    assert sure(0.3, [0.3]) < 0.4 < 0.9 < sure(0.8, [0.8])
    assert sure(0.6, [0.6], (0.58, 0.57)) < sure(0.6, [0.6]), "many that are as near tell less"
    assert sure(0.6, []) < sure(0.6, [0.3]) < sure(0.6, [0.6]), "nor does one that it did not use"


def test_what_no_passage_bears_out_is_worth_little():
    assert answer_confidence([looked_up()], False, []) < 0.4
    assert answer_confidence([looked_up(0.9)], True, []) < 0.1
    assert answer_confidence([], False, []) > 0.8
