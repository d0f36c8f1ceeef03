"""Passages are put in order by what they say together."""

import pytest

from f.knowledge.ranking import alike, copies_last, order_by_votes, usual_likeness
from f.knowledge.search import is_copy

APART, ALIKE = 0.2, 0.8
MARGIN = 1.0
NO_BONUS = [0.0, 0.0, 0.0, 0.0]


def likenesses(alike_pairs: set[tuple[int, int]], count: int = 4) -> list[list[float]]:
    return [
        [ALIKE if (one, other) in alike_pairs else APART for other in range(one)]
        for one in range(count)
    ]


def test_passages_that_are_alike_pass_one_that_stands_alone():
    scores = [0.9, 0.6, 0.55, 0.2]

    assert order_by_votes(scores, NO_BONUS, likenesses({(2, 0)}), MARGIN) == [0, 2, 1, 3]


def test_what_fits_best_stays_first_however_others_vote():
    scores = [0.9, 0.89, 0.88, 0.1]

    assert order_by_votes(scores, NO_BONUS, likenesses({(3, 0)}), MARGIN)[0] == 0


def test_a_passage_with_a_code_of_the_question_is_not_outvoted():
    bonuses = [0.0, 0.0, 0.0, 2.0]

    assert order_by_votes([0.9, 0.8, 0.7, 0.1], bonuses, likenesses({(2, 0)}), MARGIN)[1] == 3


@pytest.mark.parametrize("scores", [[], [0.5], [0.5, 0.5], [0.0, 0.0, 0.0]])
def test_few_or_equal_passages_keep_their_order(scores):
    flat = [[APART] * place for place in range(len(scores))]

    order = order_by_votes(scores, [0.0] * len(scores), flat, MARGIN)

    assert order == list(range(len(scores)))


def test_usual_is_the_mean_of_all_pairs_and_their_standard_deviations():
    assert usual_likeness([[], [0.1], [0.3, 0.5]], 2.0) == pytest.approx(
        0.3 + 2 * 0.163299, abs=1e-6
    )


def test_of_two_copies_the_one_that_is_shown_later_comes_last():
    pairs = alike([0, 2, 1, 3], NO_BONUS, [[], [0.1], [0.1, 0.95], [0.1, 0.1, 0.1]])

    assert pairs == [(2, 1)]
    assert copies_last([0, 2, 1, 3], pairs, lambda pair: True) == [0, 2, 3, 1]
    assert copies_last([0, 2, 1, 3], pairs, lambda pair: False) == [0, 2, 1, 3]


def test_a_copy_with_a_code_that_the_other_lacks_is_none():
    assert alike([0, 1], [2.0, 0.0], [[], [0.99]]) == []


def test_copies_share_most_of_their_words():
    words = set("abcdefghij")

    assert is_copy(words, words - {"a", "b", "c"})
    assert not is_copy(words, words - {"a", "b", "c", "d"})
