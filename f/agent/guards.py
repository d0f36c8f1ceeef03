"""What must be true of a reply before a contact reads it."""

import base64
import codecs
import importlib
from dataclasses import dataclass, field, replace

from f.agent.links import addresses_in, has_markup, host_of, links_in, without_markup
from f.agent.plain_text import letters, visible, words

MAX_REPLY_CHARACTERS = 8000
# So many words in a row of our own rules are no coincidence.
LEAKED_WORDS = 7


@dataclass(frozen=True)
class Rules:
    """Of one turn. `known_text`: everything a link may come from. `own_text`: what the contact
    wrote; addresses may come from there too. `secret_text`: our rules to the model; `canary`: a
    word in them that nobody has a reason to say."""

    known_text: str = ""
    own_text: str = ""
    allowed_hosts: tuple[str, ...] = ()
    forbidden_words: tuple[str, ...] = ()
    secret_text: str = ""
    canary: str = ""
    languages: tuple[str, ...] = ()
    question: str = field(default="", repr=False)

    def with_known(self, text: str) -> "Rules":
        return replace(self, known_text=text)


def formatted(text: str) -> str:
    return without_markup(visible(text)).strip()[:MAX_REPLY_CHARACTERS].strip()


def verdict_on(reply: str, rules: Rules) -> str:
    """`ok`, or the first rule that the reply breaks. A reply is never mended: who invents a link
    may have invented the rest."""
    checks = {
        "empty": not letters(reply),
        "prompt_leak": _leaks(reply, rules),
        "foreign_link": has_markup(reply) or _has_foreign_link(reply, rules),
        "forbidden_word": _has_forbidden_word(reply, rules.forbidden_words),
        "wrong_language": _is_in_wrong_language(reply, rules),
    }
    return next((name for name, is_broken in checks.items() if is_broken), "ok")


def _has_foreign_link(reply: str, rules: Rules) -> bool:
    known = links_in(rules.known_text)
    foreign = [link for link in links_in(reply) - known if not _is_allowed(link, rules)]
    addresses = addresses_in(reply) - addresses_in(f"{rules.known_text}\n{rules.own_text}")
    hosts = tuple(f"@{host}" for host in rules.allowed_hosts)
    return bool(foreign) or any(not address.endswith(hosts or "\0") for address in addresses)


def _is_allowed(link: str, rules: Rules) -> bool:
    # Another scheme, or a host that another stands before, is not the host that was allowed.
    host = host_of(link)
    if link.partition("/")[0] != host or ":" in link:
        return False
    return any(host == one or host.endswith(f".{one}") for one in rules.allowed_hosts)


def _leaks(reply: str, rules: Rules) -> bool:
    if rules.canary and any(form in letters(reply) for form in _forms(rules.canary)):
        return True
    said, secret = words(reply), words(rules.secret_text)
    runs = {tuple(secret[n : n + LEAKED_WORDS]) for n in range(len(secret) - LEAKED_WORDS + 1)}
    return any(
        tuple(said[n : n + LEAKED_WORDS]) in runs for n in range(len(said) - LEAKED_WORDS + 1)
    )


def _forms(canary: str) -> set[str]:
    """As it stands and as a model might dress it up: reversed, encoded, shifted."""
    plain = canary.encode()
    forms = [
        canary,
        canary[::-1],
        plain.hex(),
        codecs.encode(canary, "rot13"),
        *(base64.b64encode(b"." * pad + plain).decode()[4:-4] for pad in range(3)),
        base64.b32encode(plain).decode()[:-6],
    ]
    return {letters(form) for form in forms}


def _has_forbidden_word(reply: str, forbidden: tuple[str, ...]) -> bool:
    said = f" {' '.join(words(reply))} "
    return any(f" {' '.join(words(one))} " in said for one in forbidden if words(one))


def _is_in_wrong_language(reply: str, rules: Rules) -> bool:
    if not rules.languages:
        return False
    language_of = importlib.import_module("f.agent.languages").language_of
    asked, said = language_of(rules.question), language_of(reply)
    expected = asked if asked in rules.languages else rules.languages[0]
    return (
        said is not None and said != expected and (asked is not None or said not in rules.languages)
    )
