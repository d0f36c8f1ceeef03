"""The order of passages that each fit a question by itself, by what they say together.

What fits best comes first; for the places after it, passages that are alike vote for each other:
several answers to one question are, and what fits by chance stands alone. What says the same as a
better one in nearly the same words comes last.
"""

from collections.abc import Callable, Sequence
from math import fsum, sqrt
from operator import mul

# Passages with nearly the same meaning and nearly the same words say the same: of answers to one
# question, which mean nearly the same too, none is left out for the other.
COPY_LIKENESS = 0.9

Likenesses = Sequence[Sequence[float]]
Pair = tuple[int, int]


def order_by_votes(
    scores: Sequence[float],
    bonuses: Sequence[float],
    likenesses: Likenesses,
    margin: float,
) -> list[int]:
    """Places in the order to show them. `likenesses`: of each passage, how much it is like each one
    before; `margin`: by how many standard deviations two must be more alike than usual to vote."""
    confirmed = confirmed_scores(scores, likenesses, margin)
    # Where one passage holds the answer, votes for the first place would cost it often.
    others = range(1, len(scores))
    return [
        *range(min(1, len(scores))),
        *sorted(others, key=lambda place: (-bonuses[place] - confirmed[place], place)),
    ]


def confirmed_scores(scores: Sequence[float], likenesses: Likenesses, margin: float) -> list[float]:
    """Each one's score and those of what is like it, weighed by how much."""
    usual = usual_likeness(likenesses, margin)
    # What is hardly more alike than any two of these passages confirms nothing.
    weights = [1 - usual] * len(scores)
    sums = [score * (1 - usual) for score in scores]
    for place, row in enumerate(likenesses):
        for other, likeness in enumerate(row):
            if likeness > usual:
                weight = likeness - usual
                weights[place] += weight
                sums[place] += weight * scores[other]
                weights[other] += weight
                sums[other] += weight * scores[place]
    return [
        total / weight if weight else score
        for total, weight, score in zip(sums, weights, scores, strict=True)
    ]


def usual_likeness(likenesses: Likenesses, margin: float) -> float:
    pairs = [likeness for row in likenesses for likeness in row]
    if not pairs:
        return 1.0
    mean = fsum(pairs) / len(pairs)
    # statistics.pstdev is exact, and takes ten times as long.
    variance = fsum(map(mul, pairs, pairs)) / len(pairs) - mean * mean
    return mean + margin * sqrt(max(variance, 0))


def alike(order: Sequence[int], bonuses: Sequence[float], likenesses: Likenesses) -> list[Pair]:
    """Pairs that mean nearly the same, each with the one that is shown later at the end."""
    shown_at = {place: number for number, place in enumerate(order)}
    return [
        (place, other) if shown_at[place] < shown_at[other] else (other, place)
        for place, row in enumerate(likenesses)
        for other, likeness in enumerate(row)
        # A copy that holds a code of the question, which the other lacks, is no copy.
        if likeness >= COPY_LIKENESS and bonuses[place] == bonuses[other]
    ]


def copies_last(
    order: Sequence[int], pairs: Sequence[Pair], is_copy: Callable[[Pair], bool]
) -> list[int]:
    """The order, with every later one of a pair of copies behind those that are none."""
    copies = {pair[1] for pair in pairs if is_copy(pair)}
    return sorted(order, key=lambda place: place in copies)
