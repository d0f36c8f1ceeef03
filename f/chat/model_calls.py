"""A model whose paid answers are kept with the turn: taken up again, a turn pays for none twice."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from f.agent.completion import CHARACTERS_PER_TOKEN, Completion
from f.agent.contact_files import tokens_of_pictures
from f.shared.errors import AgentStuck, UpstreamDown

# A paid answer outlives a database that starts again.
STORE_PAUSES_SECONDS = (0.25, 0.5, 1, 2, 4, 4)

READ = """
select position, response, input_tokens, output_tokens, is_estimated, model, draft from model_calls
 where turn_id = %s order by draft, position
"""
STORE = "select store_model_call(%s, %s, %s, %s, %s, %s, %s, %s, %s)"


class StoredModel:
    """`model` completes. `conn` is in a transaction that holds the turn, `open_transaction` opens
    another."""

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
        self._key = (turn_id, fence, draft)
        self._position = 0
        self._token_budget = token_budget
        self._stored, self.tokens_used = _read(conn, turn_id, draft)

    @property
    def has_room(self) -> bool:
        """Whether another draft as dear as all so far is within the turn's reservation."""
        return self.tokens_used * 2 <= self._token_budget

    def complete(self, messages: list[dict], schemas: list[dict]) -> Completion:
        """Raises AgentStuck when the turn's reservation is used up, and what `model` raises."""
        position, self._position = self._position, self._position + 1
        stored = self._stored.get(position)
        if stored:
            self._model.go_on_with(stored.model)
            return stored
        needed = _tokens_of(messages, schemas) + self._model.max_reply_tokens
        left = self._token_budget - self.tokens_used
        if needed > left:
            raise AgentStuck("tokens", f"{left} tokens are left, the next call needs {needed}")
        # A tool's result is read by another call: without room for that one, this has to answer.
        completion = self._model.complete(messages, schemas if 2 * needed <= left else [])
        self._store(position, completion)
        self._model.answer_is_kept()
        return completion

    def _store(self, position: int, completion: Completion) -> None:
        self.tokens_used += completion.input_tokens + completion.output_tokens
        turn_id, fence, draft = self._key
        values = (
            turn_id,
            fence,
            draft,
            position,
            completion.model,
            completion.input_tokens,
            completion.output_tokens,
            completion.is_estimated,
            json.dumps(completion.message),
        )
        until_kept(partial(self._write, values))

    def _write(self, values: tuple) -> None:
        with self._open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(STORE, values)


def until_kept(write: Callable[[], None]) -> None:
    """`write` keeps what was paid for, in a transaction of its own."""
    for pause_seconds in STORE_PAUSES_SECONDS:
        try:
            return write()
        except UpstreamDown:
            time.sleep(pause_seconds)
    write()


def _read(conn, turn_id: str, draft: int) -> tuple[dict[int, Completion], int]:
    with conn.cursor() as cursor:
        cursor.execute(READ, (turn_id,))
        rows = cursor.fetchall()
    stored = {row[0]: Completion(*row[1:6]) for row in rows if row[6] == draft}
    return stored, sum(row[2] + row[3] for row in rows)


def _tokens_of(messages: list[dict], schemas: list[dict]) -> int:
    text = json.dumps([messages, schemas], ensure_ascii=False, default=repr)
    return len(text) // CHARACTERS_PER_TOKEN + tokens_of_pictures(messages)
