"""What connecting a web chat asks for besides a vendor's: who may embed it, and how it looks."""

import argparse
import re

from f.channels.accounts import Account
from f.channels.web_origins import is_pattern
from local.errors import CannotRun
from local.web_widget import tag

COLOR = re.compile("#[0-9a-f]{6}", re.IGNORECASE)
SHOWN = ("title", "greeting", "privacy_url", "accent")


def add_options(parser: argparse.ArgumentParser) -> None:
    web = parser.add_argument_group("web")
    web.add_argument("--embed-key", help="change this web chat instead of adding one")
    web.add_argument(
        "--origins", metavar="HOSTS", help="websites that may embed it: shop.example,*.shop.example"
    )
    web.add_argument("--title", help="what stands over the chat; else the chatbot's name")
    web.add_argument("--greeting", help="what the chatbot says first")
    web.add_argument("--privacy-url", help="shown before the first message")
    web.add_argument("--accent", metavar="#RRGGBB", help="the colour of the widget")


def settings_in(options: argparse.Namespace) -> dict:
    """Of what was given; what was not stays as it is. Raises CannotRun."""
    origins = listed(options.origins or "")
    wrong = [one for one in origins if not is_pattern(one)]
    if wrong:
        raise CannotRun(f"{wrong[0]} is no website: write shop.example or *.shop.example.")
    if options.accent and not COLOR.fullmatch(options.accent):
        raise CannotRun("--accent is a colour like #7a3e12.")
    if options.privacy_url and not options.privacy_url.startswith("https://"):
        raise CannotRun("--privacy-url begins with https://")
    shown = {name: getattr(options, name) for name in SHOWN if getattr(options, name)}
    return shown | ({"origins": origins} if origins else {})


def listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def what_to_do(public_url: str, account: Account) -> str:
    return (
        f"embed     {tag(public_url.rstrip('/'), account.account_id)}\n"
        f"secret    {account.credentials['identity_secret']}"
    )
