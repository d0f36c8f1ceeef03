"""The bench of confidence: what it calls calibrated, and that it finds constants that are."""

import random

import numpy as np

from bench.confidence import Asked, calibration_error, fit, order_of


def asked(similarity, is_right):
    passages = [{"score": similarity}, {"score": similarity - 0.1}, {"score": similarity - 0.2}]
    calls = [{"tool": "knowledge", "result": {"passages": passages}}]
    return Asked(calls, passages[:1], False, is_right)


def test_who_is_as_often_right_as_they_say_is_calibrated():
    sure, right = np.array([0.75] * 4 + [0.25] * 4), np.array([1, 1, 1, 0] + [0, 0, 0, 1.0])

    assert calibration_error(sure, right) == 0
    assert calibration_error(sure, 1 - right) == 0.5


def test_right_answers_that_are_surer_are_in_order():
    right = np.array([1, 1, 0, 0.0])

    assert order_of(np.array([0.9, 0.8, 0.2, 0.1]), right) == 1
    assert order_of(np.array([0.5, 0.5, 0.5, 0.5]), right) == 0.5


def test_constants_that_made_the_answers_are_found_again():
    chance = random.Random(5)
    similarities = [chance.uniform(0.2, 0.8) for _ in range(4000)]
    kind = [
        asked(one, chance.random() < 1 / (1 + np.exp(-10 * (one - 0.5)))) for one in similarities
    ]

    base, similarity, lead, _ = fit([kind, kind])["log_odds"]

    assert 8.5 < similarity < 11.5
    assert abs((base + 0.2 * lead) + 0.5 * similarity) < 0.3
