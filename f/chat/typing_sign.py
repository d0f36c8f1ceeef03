"""Show the contact that their message was seen and that an answer comes, while there is one."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import f.channels.registry as registry
from f.channels.accounts import Account
from f.shared.errors import ChatmillError

# An answer that is there sooner needs no sign that it comes.
PATIENCE_SECONDS = 0.4


@contextmanager
def shown(account: Account | None) -> Iterator[None]:
    """On a thread of its own: no answer waits for it, and none fails with it."""
    rules = registry.library(account.kind).RULES if account else None
    if not (rules and rules.typing_seconds):
        yield
        return
    is_done = Event()
    Thread(target=_show, args=(account, rules.typing_seconds, is_done), daemon=True).start()
    try:
        yield
    finally:
        is_done.set()


def _show(account: Account, typing_seconds: float, is_done: Event) -> None:
    library = registry.library(account.kind)
    wait_seconds = PATIENCE_SECONDS
    while not is_done.wait(wait_seconds):
        try:
            library.show_typing(account.credentials, account.recipient)
        except ChatmillError:
            return  # a courtesy: what is wrong shows when the answer is sent
        wait_seconds = typing_seconds
