"""Keep the lease of a turn while a step waits for a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import f.chat.turns as turns
from f.shared.db import connect
from f.shared.errors import StaleTurn, UpstreamDown
from f.shared.resources import postgresql

# The lease is 5 s: three beats may be late before it runs out.
BEAT_SECONDS = 1.25
# No step is allowed to take longer; a thread that nobody stops must not hold a turn for ever.
LONGEST_STEP_SECONDS = 90


@contextmanager
def kept(db: postgresql, turn_id: str, fence: int) -> Iterator[None]:
    """A process that is killed or frozen stops beating, and is overtaken when the lease ends.

    Who lost the turn learns it from its next write, not from here.
    """
    done = Event()
    Thread(target=_beat, args=(db, turn_id, fence, done), daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _beat(db: postgresql, turn_id: str, fence: int, done: Event) -> None:
    for _ in range(round(LONGEST_STEP_SECONDS / BEAT_SECONDS)):
        if done.wait(BEAT_SECONDS):
            return
        try:
            with connect(db) as conn:
                turns.enter(conn, turn_id, fence)
        except StaleTurn:
            return
        except UpstreamDown:
            continue  # the database may be back before the lease ends
