"""What the words of a question count for, as the organization's documents hold them."""

import pytest

NEAR = [1.0, 0.0, 0.0]
COMMON = [f"The machine number {number} may stop." for number in range(12)]


@pytest.fixture
def weighed(query, organization_id, add_document):
    """weighed(question) -> {form: (weight, bonus)}"""
    texts = [*COMMON, "The valve of machine ZX-4471 drips.", "Ask Kovari about the valve."]
    add_document(organization_id, "a", dict.fromkeys(texts, NEAR))

    def run(question):
        forms = "select form, weight, bonus from weighed_words(%s, %s)"
        return {form: counts for form, *counts in query(forms, organization_id, question)}

    return run


def test_the_fewer_chunks_hold_a_word_the_more_it_tells(weighed):
    found = weighed("valve of the machine")

    assert found["valv"][0] > found["machin"][0]


def test_the_words_of_a_question_make_one_whole(weighed):
    found = weighed("valve of the machine")

    assert sum(weight for form, (weight, _) in found.items() if form[0] != "^") == pytest.approx(1)


def test_a_code_counts_more_than_all_else_together(weighed):
    found = weighed("the valve of ZX-4471, Kovari?")

    assert found["#zx-4471"][1] == 2
    assert sum(bonus for form, (_, bonus) in found.items() if form[0] != "#") < 1


def test_a_name_counts_beside_its_word(weighed):
    assert weighed("who is kovari?")["^kovari"][1] == 0.25


def test_a_name_that_is_mostly_a_common_word_says_little(weighed, organization_id, add_document):
    texts = [f"Please mark box {number}." for number in range(30)]
    add_document(organization_id, "b", dict.fromkeys([*texts, "Write to our Mark."], NEAR))

    assert weighed("which box to mark?")["^mark"][1] == 0


def test_a_question_of_words_that_stand_nowhere_weighs_nothing(weighed):
    assert weighed("quux frobnicate") == {}
