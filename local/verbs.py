"""What all verbs of a command about an organization have: an act, whose it is, and JSON."""

import argparse
import uuid
from collections.abc import Callable

from local.installation import DEMO_ORGANIZATION

Act = Callable[[argparse.Namespace], int]


def give_acts(
    parser: argparse.ArgumentParser, default: Act, acts: dict[argparse.ArgumentParser, Act]
) -> None:
    """`acts`: by the verb's parser; `default`: without a verb. The options stand before the verb
    or after it."""
    parser.set_defaults(act=default)
    for verb, act in acts.items():
        verb.set_defaults(act=act)
    for each in (parser, *acts):
        each.add_argument(
            "--organization",
            type=organization,
            metavar="ID",
            default=argparse.SUPPRESS,
            help="whose; the demo's without one",
        )
        each.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON"
        )
    parser.set_defaults(organization=DEMO_ORGANIZATION, json=False)


def organization(text: str) -> str:
    """For argparse, which says when it is none."""
    return str(uuid.UUID(text))
