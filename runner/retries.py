"""When a failed module runs again: constant attempts first, then exponential ones."""

import random

from runner.expressions import ExpressionFailed, Names, evaluate_predicate
from runner.failures import PredicateFailed

LONGEST_WAIT_SECONDS = 6 * 3600
MOST_ATTEMPTS = 1000


def retry_wait_seconds(retry: dict, failures: int, names: Names) -> float | None:
    """Seconds before the next attempt after so many failed retries, or None to give up."""
    if not retry or failures > MOST_ATTEMPTS or not _retry_if(retry, names):
        return None
    constant, exponential = retry.get("constant") or {}, retry.get("exponential") or {}
    constant_attempts = constant.get("attempts") or 0
    if failures < constant_attempts:
        return min(constant.get("seconds") or 0, LONGEST_WAIT_SECONDS)
    if failures - constant_attempts < (exponential.get("attempts") or 0):
        return min(_exponential_seconds(exponential, failures), LONGEST_WAIT_SECONDS)
    return None


def _retry_if(retry: dict, names: Names) -> bool:
    condition = retry.get("retry_if")
    if not condition:
        return True
    try:
        return evaluate_predicate(condition["expr"], names)
    except ExpressionFailed as exc:
        raise PredicateFailed(f"Error: {exc}") from exc


def _exponential_seconds(exponential: dict, failures: int) -> float:
    """multiplier * seconds^(failures + 1), give or take random_factor percent."""
    power = min(failures + 1, 64)
    seconds = exponential.get("multiplier", 1) * (exponential.get("seconds") or 0) ** power
    percent = min(exponential.get("random_factor") or 0, 100)
    return seconds * (1 + random.choice((-1, 1)) * random.random() * percent / 100)
