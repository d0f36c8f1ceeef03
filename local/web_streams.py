"""Pages that wait for something new: one look at the database for all of them."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

from starlette.concurrency import run_in_threadpool

from f.channels.web_sessions import State
from f.shared.errors import UpstreamError

LOOK_SECONDS = 0.2
KEEP_ALIVE_SECONDS = 15
# Then the page connects again, to whichever server is there by then.
LONGEST_STREAM_SECONDS = 600
UNSEEN = State(-1, "", False)


class Watcher:
    """However many pages are open, the database is asked five times a second, and not at all while
    none is."""

    def __init__(self, look: Callable[[Sequence[str]], dict[str, State]]):
        self._look = look
        self._watched: Counter[str] = Counter()
        self._asked: frozenset[str] = frozenset()  # of whom the newest look knows
        self._states: dict[str, State] = {}
        self._looked = asyncio.Event()
        self._task: asyncio.Task | None = None

    def waiting(self, conversation_id: str) -> int:
        return self._watched[conversation_id]

    async def change(self, conversation_id: str, seen: State, seconds: float) -> State | None:
        """The newest state, as soon as it is another than `seen`; None when the conversation is
        gone. Raises TimeoutError when nothing changed, or nothing could be seen, for so long."""
        return await self._until(conversation_id, lambda state: state != seen, seconds)

    async def line_after(self, conversation_id: str, number: int, seconds: float) -> None:
        """Waits for a line, at most so long."""

        def is_there(state: State | None) -> bool:
            return state is None or state.last_number > number

        with suppress(TimeoutError):
            await self._until(conversation_id, is_there, seconds)

    async def _until(
        self, conversation_id: str, is_awaited: Callable[[State | None], bool], seconds: float
    ) -> State | None:
        self._watched[conversation_id] += 1
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._next_look().wait()
                    # A look that began before this page came tells nothing of it.
                    if conversation_id not in self._asked:
                        continue
                    state = self._states.get(conversation_id)
                    if is_awaited(state):
                        return state
        finally:
            self._watched[conversation_id] -= 1
            self._watched += Counter()  # drops those that nobody watches

    def _next_look(self) -> asyncio.Event:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_on())
        return self._looked

    async def _look_on(self) -> None:
        while self._watched:
            asked = frozenset(self._watched)
            try:
                self._states = await run_in_threadpool(self._look, sorted(asked))
            except UpstreamError:
                pass  # the database is away: pages wait on what they know
            else:
                self._asked = asked
                looked, self._looked = self._looked, asyncio.Event()
                looked.set()
            await asyncio.sleep(LOOK_SECONDS)


async def stream(
    watcher: Watcher, conversation_id: str, since: int, read: Callable[[int], list[dict]]
) -> AsyncIterator[bytes]:
    """Server-sent events: `message` with its number as the id, `status` when it changes."""
    ends_at = asyncio.get_running_loop().time() + LONGEST_STREAM_SECONDS
    seen = UNSEEN
    yield b"retry: 2000\n\n"
    while asyncio.get_running_loop().time() < ends_at:
        try:
            state = await watcher.change(conversation_id, seen, KEEP_ALIVE_SECONDS)
        except TimeoutError:
            yield b": nothing new\n\n"
            continue
        if state is None:
            yield event("status", {"session_status": "deleted", "is_typing": False})
            return
        lines = await run_in_threadpool(lines_until, state.last_number, since, read)
        before = lines_before(state.mode, lines)
        for line in lines[:before]:
            yield event("message", line, line["number"])
        if (state.mode, state.is_typing) != (seen.mode, seen.is_typing):
            yield event("status", {"session_status": state.mode, "is_typing": state.is_typing})
        for line in lines[before:]:
            yield event("message", line, line["number"])
        since = lines[-1]["number"] if lines else since
        seen = state


def lines_until(last: int, since: int, read: Callable[[int], list[dict]]) -> list[dict]:
    """Portion by portion; an expired session reads none."""
    lines: list[dict] = []
    while since < last and (portion := read(since)):
        lines += portion
        since = portion[-1]["number"]
    return lines


def lines_before(mode: str, lines: list[dict]) -> int:
    """How many come before the word that somebody else answers now: those until they speak."""
    speaker = "teammate" if mode == "human" else "chatbot"
    return next((at for at, line in enumerate(lines) if line["author"] == speaker), len(lines))


def event(kind: str, content: dict, number: int | None = None) -> bytes:
    """JSON has no line breaks of its own, so one data line holds it."""
    identity = "" if number is None else f"id: {number}\n"
    return f"{identity}event: {kind}\ndata: {json.dumps(content)}\n\n".encode()
