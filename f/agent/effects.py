"""What the tools of a turn change: each change a row first, so that none is made twice.

A turn that is taken up again is served the same calls in the same places. It finds the row: what
was done is answered from it, and what was only begun is nobody's to repeat but the tool's own, if
it honours the key that it was given. Else a person looks.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager

from f.shared.db import again_while_away
from f.shared.errors import TokenRefused, ToolError, ToolFailed, UpstreamError, UpstreamRefused

# What a server refused with the contact's token is made as if it had not been called.
BEGIN = """
insert into tool_effects as kept (
  turn_id, position, organization_id, tool, class, arguments_sha256
)
select id, %(position)s, organization_id, %(tool)s, %(class)s, %(arguments_sha256)s
  from turns where id = %(turn_id)s
    on conflict on constraint tool_effects_pkey do update
   set state = 'begun', result = null, ended_at = null
 where kept.state = 'needs_sign_in'
   and (kept.tool, kept.arguments_sha256) = (excluded.tool, excluded.arguments_sha256)
returning position
"""
READ = """
select state, result, tool, arguments_sha256 from tool_effects where turn_id = %s and position = %s
"""
END = """
update tool_effects set state = %s, result = %s, ended_at = now()
 where turn_id = %s and position = %s and state = 'begun'
"""
FIND_TWIN = """
select position from tool_effects
 where turn_id = %s and tool = %s and arguments_sha256 = %s
   and state not in ('refused', 'needs_sign_in')
"""
READ_ALL = """
select position, tool, class, state from tool_effects where turn_id = %s
"""

REFUSED = "it was refused; nothing was changed"
UNKNOWN = "nobody knows whether it was done; a person has to look"


class Effects:
    """`conn` is in a transaction that holds the turn, `open_transaction` opens another: a worker
    that lost the turn changes nothing.

    `rows`: (tool, class, state) of every effect of this turn, by the place of its call."""

    def __init__(self, conn, open_transaction: Callable[[], AbstractContextManager], turn_id: str):
        self._open_transaction = open_transaction
        self._turn_id = turn_id
        with conn.cursor() as cursor:
            cursor.execute(READ_ALL, (turn_id,))
            self.rows: dict[int, tuple[str, str, str]] = {row[0]: row[1:] for row in cursor}

    def __bool__(self) -> bool:
        return bool(self.rows)

    @property
    def is_any_unknown(self) -> bool:
        return any(state in ("begun", "unknown") for _, _, state in self.rows.values())

    def has_done(self, *tools: str) -> bool:
        return any(tool in tools and state == "done" for tool, _, state in self.rows.values())

    def has_acted(self) -> bool:
        """Whether a system outside was changed."""
        return any(class_ != "own" and state == "done" for _, class_, state in self.rows.values())

    def answers(self, position: int) -> bool:
        """Whether the call at this place was made, or may have been, and is answered from its row.
        Of one that the contact's token was refused for they may never have read the link."""
        return position in self.rows and self.rows[position][2] != "needs_sign_in"

    def refuse_twin(self, tool, arguments: dict, position: int) -> None:
        """One yes is one change, however often a model calls for it in one turn. Raises ToolFailed:
        else the contact would be asked again for what was done, or may have been. In a turn that is
        taken up again a model may call for it earlier than it did."""
        values = (self._turn_id, tool.name, sha256_of(arguments))
        with self._open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(FIND_TWIN, values)
            made_at = {one for (one,) in cursor}
            if made_at and position not in made_at:
                raise ToolFailed("this very call was made in this turn; it is not made twice")

    def once(self, tool, arguments: dict, position: int) -> tuple[str, dict]:
        """Raises ToolError."""
        if tool.class_ == "own":
            return self._once_in_our_rows(tool, arguments, position)
        with self._open_transaction() as conn, conn.cursor() as cursor:
            stored = self._begin(cursor, tool, arguments, position)
        if stored and (stored[0] != "begun" or not tool.honours_key):
            return _stored(stored)
        return self._call(tool, arguments, position)

    def _once_in_our_rows(self, tool, arguments: dict, position: int) -> tuple[str, dict]:
        """The change and its row are one transaction; a ToolError leaves neither."""
        with self._open_transaction() as conn, conn.cursor() as cursor:
            stored = self._begin(cursor, tool, arguments, position)
            if stored:
                return _stored(stored)
            text, result = tool.apply(cursor, arguments)
            cursor.execute(END, ("done", _json(text, result), self._turn_id, position))
        self.rows[position] = (tool.name, tool.class_, "done")
        return text, result

    def _call(self, tool, arguments: dict, position: int) -> tuple[str, dict]:
        state, stored = "unknown", _json("", {"error": "nobody knows whether it was done"})
        try:
            text, result = tool.run(arguments, f"{self._turn_id}:{position}")
            state, stored = "done", _json(text, result)
            return text, result
        except TokenRefused:
            state, stored = "needs_sign_in", None
            raise
        except UpstreamRefused as error:
            state, stored = "refused", _json(REFUSED, {"error": "it was refused"})
            raise ToolFailed(REFUSED) from error
        except UpstreamError as error:
            raise ToolFailed(UNKNOWN) from error
        except ToolError as error:
            state, stored = "refused", _json(str(error), {"error": "it was refused"})
            raise
        finally:
            self._end(tool, position, state, stored)

    def _begin(self, cursor, tool, arguments: dict, position: int) -> tuple | None:
        values = {
            "turn_id": self._turn_id,
            "position": position,
            "tool": tool.name,
            "class": tool.class_,
            "arguments_sha256": sha256_of(arguments),
        }
        cursor.execute(BEGIN, values)
        if cursor.fetchone():
            return None
        cursor.execute(READ, (self._turn_id, position))
        stored = cursor.fetchone()
        if stored[2:] != (values["tool"], values["arguments_sha256"]):
            raise ToolFailed("another call was made in its place")
        return stored

    def _end(self, tool, position: int, state: str, result: str | None) -> None:
        """What is known of a call outlives a database that starts again: nobody can ask for it."""

        def write() -> None:
            with self._open_transaction() as conn, conn.cursor() as cursor:
                cursor.execute(END, (state, result, self._turn_id, position))

        again_while_away(write)
        self.rows[position] = (tool.name, tool.class_, state)


def sha256_of(arguments: dict) -> str:
    return hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()


def _json(text: str, result: dict) -> str:
    return json.dumps({"text": text, "result": result})


def _stored(row: tuple) -> tuple[str, dict]:
    state, result, *_ = row
    if state == "refused":
        raise ToolFailed(result["text"])
    if state != "done":
        raise ToolFailed(UNKNOWN)
    return result["text"], result["result"]
