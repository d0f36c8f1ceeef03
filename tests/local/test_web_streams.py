"""Pages that wait: one look for all, and a database that is away deletes nobody's chat."""

import asyncio
import json
import threading
from collections.abc import Sequence

import pytest

import local.web_streams as web_streams
from f.channels.web_sessions import State
from f.shared.errors import UpstreamDown
from local.web_streams import Watcher, stream

QUIET = State(0, "bot", False)


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(web_streams, "LOOK_SECONDS", 0.001)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(web_streams, "KEEP_ALIVE_SECONDS", 0.02)


def first_events(look, count: int, lines: Sequence[dict] = ()) -> list[bytes]:
    """`lines` are read by portions of 200."""

    def portion(after: int) -> list[dict]:
        return [line for line in lines if line["number"] > after][:200]

    async def read() -> list[bytes]:
        found = []
        async for one in stream(Watcher(look), "c", 0, portion):
            found.append(one)
            if len(found) == count:
                break
        return found

    return asyncio.run(read())


def test_however_many_wait_the_database_is_asked_once():
    asked = []

    def look(ids):
        asked.append(sorted(ids))
        return {one: State(1, "bot", False) for one in ids}

    async def wait_together():
        watcher = Watcher(look)
        await asyncio.gather(*(watcher.line_after(f"c{n}", 0, 5) for n in range(100)))

    asyncio.run(wait_together())

    assert len(asked) <= 2 and len(asked[0]) == 100


def test_a_page_that_comes_during_a_look_is_not_taken_for_gone():
    is_looking, may_end = threading.Event(), threading.Event()

    def look(ids):
        is_looking.set()
        may_end.wait(5)
        return {one: State(1, "bot", False) for one in ids}

    async def come_late():
        watcher = Watcher(look)
        first = asyncio.create_task(watcher.change("first", QUIET, 5))
        await asyncio.to_thread(is_looking.wait, 5)
        late = asyncio.create_task(watcher.change("late", QUIET, 5))
        await asyncio.sleep(0.01)
        may_end.set()
        return await first, await late

    assert asyncio.run(come_late()) == (State(1, "bot", False),) * 2


def test_while_nobody_waits_nothing_is_asked():
    asked = []

    async def wait_and_leave():
        watcher = Watcher(lambda ids: asked.append(ids) or {})
        await watcher.line_after("c", 0, 1)
        await asyncio.sleep(0.02)
        before = len(asked)
        await asyncio.sleep(0.02)
        return len(asked) - before

    assert asyncio.run(wait_and_leave()) == 0


def test_a_database_that_is_away_keeps_the_stream_open(impatient):
    def away(ids):
        raise UpstreamDown("the database went away")

    assert first_events(away, 3) == [b"retry: 2000\n\n", *[b": nothing new\n\n"] * 2]


def test_a_chat_that_is_gone_is_said_so_once():
    *_, told = first_events(lambda ids: {}, 9)

    assert b"deleted" in told


def test_a_quiet_stream_says_that_it_is_alive(impatient):
    events = first_events(lambda ids: {"c": QUIET}, 10)

    assert sum(b'"session_status": "bot"' in one for one in events) == 1
    assert events[-1] == b": nothing new\n\n"


@pytest.mark.parametrize(
    ("mode", "authors", "told"),
    [
        ("human", ["contact", "chatbot", "teammate"], ["contact", "chatbot", "status", "teammate"]),
        ("human", ["contact", "chatbot"], ["contact", "chatbot", "status"]),
        ("bot", ["teammate", "contact", "chatbot"], ["teammate", "contact", "status", "chatbot"]),
    ],
)
def test_who_answers_is_told_before_they_speak(mode, authors, told):
    lines = [{"number": n, "author": author} for n, author in enumerate(authors, 1)]
    state = State(len(lines), mode, False)

    _, *events = first_events(lambda ids: {"c": state}, 2 + len(lines), lines)

    assert [json.loads(one.partition(b"data: ")[2]).get("author", "status") for one in events] == (
        told
    )


def test_a_long_history_is_told_whole():
    state = State(450, "bot", False)
    lines = [{"number": n, "author": "contact"} for n in range(1, 451)]

    events = first_events(lambda ids: {"c": state}, 452, lines)

    assert sum(b"event: message" in one for one in events) == 450
