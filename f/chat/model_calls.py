"""A model whose paid answers are kept with the turn: taken up again, a turn pays for none twice.

An answer is served again to the very request that it was paid for, and to no other: what a tool
found, or the owner wrote, may have changed since, and then the answer is about something else.
"""

import hashlib
import json
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from f.agent.completion import CHARACTERS_PER_TOKEN, Completion
from f.agent.contact_files import Picture, tokens_of_pictures
from f.shared.db import again_while_away
from f.shared.errors import AgentStuck, StaleTurn

READ = """
select request_sha256, is_lost, response, input_tokens, output_tokens, is_estimated, model
  from model_calls where turn_id = %s order by draft, position
"""
STORE = """
select store_model_call(
  %(turn_id)s, %(fence)s, %(draft)s, %(call_id)s, %(request_sha256)s, %(model)s,
  %(input_tokens)s, %(output_tokens)s, %(is_estimated)s, %(response)s)
"""
BOOK_LOST = """
select book_lost_call(
  %(turn_id)s, %(fence)s, %(draft)s, %(call_id)s, %(model)s,
  %(input_tokens)s, %(output_tokens)s, %(is_estimated)s)
"""


class StoredModel:
    """`model` completes. `conn` is in a transaction that holds the turn, `open_transaction` opens
    one that holds nothing."""

    def __init__(
        self,
        conn,
        model,
        open_transaction: Callable[[], AbstractContextManager],
        turn_id: str,
        fence: int,
        draft: int,
        token_budget: int,
    ):
        self._model = model
        self._open_transaction = open_transaction
        self._place = {"turn_id": turn_id, "fence": fence, "draft": draft}
        self._token_budget = token_budget
        self._stored, self.tokens_used = _read(conn, turn_id)

    @property
    def has_room(self) -> bool:
        """Whether another draft as dear as all so far is within the turn's reservation."""
        return self.tokens_used * 2 <= self._token_budget

    def complete(self, messages: list[dict], schemas: list[dict]) -> Completion:
        """Raises AgentStuck when the turn's reservation is used up, and what `model` raises."""
        asked = _text_of(messages, schemas)
        request_sha256 = hashlib.sha256(asked.encode(errors="surrogatepass")).hexdigest()
        if self._stored[request_sha256]:
            stored = self._stored[request_sha256].popleft()
            self._model.go_on_with(stored.model)
            return stored
        told = len(asked) // CHARACTERS_PER_TOKEN + tokens_of_pictures(messages)
        needed = told + self._model.max_reply_tokens
        left = self._token_budget - self.tokens_used
        if needed > left:
            raise AgentStuck("tokens", f"{left} tokens are left, the next call needs {needed}")
        # A tool's result is read by another call: without room for that one, this has to answer.
        completion = self._model.complete(messages, schemas if 2 * needed <= left else [])
        self._store(request_sha256, completion)
        self._model.answer_is_kept()
        return completion

    def _store(self, request_sha256: str, completion: Completion) -> None:
        self.tokens_used += completion.input_tokens + completion.output_tokens
        values = {
            **self._place,
            **charge_of(completion),
            "request_sha256": request_sha256,
            "response": json.dumps(completion.message),
        }
        until_kept(partial(self._write, values), self._open_transaction, values)

    def _write(self, values: dict) -> None:
        with self._open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(STORE, values)


def charge_of(paid) -> dict:
    """Of a completion or a transcript: what is charged, under an id of its own."""
    return {
        "call_id": str(uuid.uuid4()),
        "model": paid.model,
        "input_tokens": paid.input_tokens,
        "output_tokens": paid.output_tokens,
        "is_estimated": paid.is_estimated,
    }


def until_kept(
    write: Callable[[], None],
    open_transaction: Callable[[], AbstractContextManager],
    values: dict,
) -> None:
    """`write` keeps what was paid for, in a transaction of its own. Raises StaleTurn when the turn
    was lost meanwhile; it is charged all the same."""

    def book_lost() -> None:
        with open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(BOOK_LOST, values)

    try:
        again_while_away(write)
    except StaleTurn:
        again_while_away(book_lost)
        raise


def _read(conn, turn_id: str) -> tuple[dict[str, deque[Completion]], int]:
    """By the hash of what they answer, in the order in which they were paid; and the tokens of all
    that the turn was or will be charged for."""
    with conn.cursor() as cursor:
        cursor.execute(READ, (turn_id,))
        rows = cursor.fetchall()
    stored: dict[str, deque[Completion]] = defaultdict(deque)
    for request_sha256, is_lost, *answer in rows:
        if request_sha256 and not is_lost:
            stored[request_sha256].append(Completion(*answer))
    return stored, sum(row[3] + row[4] for row in rows)


def _text_of(messages: list[dict], schemas: list[dict]) -> str:
    """The same for what a message was before it was stored and after; Postgres sorts the keys of
    what it stores as JSON."""
    return json.dumps([messages, schemas], ensure_ascii=False, sort_keys=True, default=_named)


def _named(picture: Picture) -> str:
    return f"{picture.media_type} {hashlib.sha256(picture.content).hexdigest()}"
