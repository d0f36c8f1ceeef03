"""./chatmill bench agent --faults: what contacts get while every vendor of the models fails."""

import argparse
import json

from bench.answering import fresh_database
from bench.model_faults.turns import LONGEST_TURN_SECONDS, Seen, is_whole, run
from local.places import STATE
from local.postgres import open_postgres
from local.progress import Progress
from local.secrets_file import load_secrets
from local.terminal import heading

TURNS = 1000
SEED = 11
LEAST_ANSWERED = 0.995


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    with open_postgres(STATE) as postgres:
        resource = fresh_database(postgres)
        seen = run(resource, load_secrets(STATE), options.turns, options.seed, Progress())
    figures = figures_of(seen)
    print(json.dumps(figures, indent=2)) if options.json else report(figures)
    return 1 if broken(figures) else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill bench agent --faults",
        description="Kill, stall, throttle and garble three vendors of models; count what arrives.",
    )
    parser.add_argument("--turns", type=int, default=TURNS, help=f"({TURNS})")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def figures_of(seen: Seen) -> dict:
    """A reply that is neither whole nor one of the chatbot's own words is a half one."""
    whole = [text is not None and is_whole(turn, text) for turn, text, _ in seen.turns]
    others = [text for (_, text, _), is_so in zip(seen.turns, whole, strict=True) if not is_so]
    seconds = sorted(seconds for _, _, seconds in seen.turns)
    return {
        "turns": len(seen.turns),
        "answered_by_the_chain": sum(whole),
        "answered_share": round(sum(whole) / len(whole), 4),
        "told_in_own_words": sum(text in seen.own_words for text in others),
        "half_replies": sum(text not in (None, *seen.own_words) for text in others),
        "unanswered": others.count(None),
        "orders_cancelled": len(seen.cancelled),
        "duplicate_effects": sum(times - 1 for times in seen.cancelled.values()),
        "duplicate_replies": sum(times - 1 for times in seen.accepted.values()),
        "turn_seconds": {
            "p50": round(seconds[len(seconds) // 2], 2),
            "p99": round(seconds[int(len(seconds) * 0.99)], 2),
            "max": round(seconds[-1], 2),
        },
        "faults": dict(seen.faults.most_common()),
        "seconds": round(seen.seconds, 1),
    }


def headline(figures: dict) -> str:
    return (
        f"{figures['answered_share']:.1%} of {figures['turns']} turns answered by the chain"
        f" (at least {LEAST_ANSWERED:.1%}), {figures['duplicate_effects']} duplicate effects,"
        f" {figures['half_replies']} half replies,\n  slowest turn"
        f" {figures['turn_seconds']['max']} s (at most {LONGEST_TURN_SECONDS} s)"
    )


def broken(figures: dict) -> list[str]:
    nothing = ("half_replies", "duplicate_effects", "duplicate_replies", "unanswered")
    found = [f"{name}: {figures[name]}" for name in nothing if figures[name]]
    if figures["answered_share"] < LEAST_ANSWERED:
        found.append(f"answered: {figures['answered_share']:.1%}, at least {LEAST_ANSWERED:.1%}")
    if figures["turn_seconds"]["max"] > LONGEST_TURN_SECONDS:
        found.append(f"the slowest turn took {figures['turn_seconds']['max']} s")
    return found


def report(figures: dict) -> None:
    heading("Turns while three vendors of models are killed, stalled, throttled and garbled")
    print(f"  {headline(figures)}")
    for name, value in figures.items():
        print(f"  {name.replace('_', ' '):24} {value}")
    for sentence in broken(figures):
        print(f"  BROKEN  {sentence}")
