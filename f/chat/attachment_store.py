"""How far the reading of each file came: every write of its table, each in a short transaction."""

import json
from dataclasses import dataclass, field

from f.agent.transcription import Transcript
from f.channels.content import named
from f.shared.media_types import PICTURES

# No draft is as high: turns.drafts_dropped ends at 2.
TRANSCRIPTION_DRAFT = 9

UNREAD = """
select id, media, place from (
  select inbound_messages.id, media, coalesce(attachments.state, 'fetching') as state,
         row_number() over (order by inbound_messages.id) as place
    from inbound_messages left join attachments on inbound_message_id = inbound_messages.id
   where turn_id = %s and inbound_messages.state = 'taken' and media ->> 'type' <> 'sticker'
) as files
 where state in ('fetching', 'fetched') order by place
"""
BEGIN = """
select state, attempts, media_type, file_name, content from begin_attachment(%s)
 where inbound_message_id is not null
"""
KEEP_BYTES = """
update attachments set state = 'fetched', media_type = %s, content = %s
 where inbound_message_id = %s and state = 'fetching'
"""
# A picture is looked at as it is; of other files only the words stay.
KEEP_READ = """
update attachments
   set state = 'read', text = %s, content = case when media_type = any(%s) then content end
 where inbound_message_id = %s and state = 'fetched'
"""
REFUSE = """
update attachments set state = 'refused', refusal = %s, notice = %s, content = null
 where inbound_message_id = %s and state in ('fetching', 'fetched')
"""
# A caption stays; the sign that there is a voice message gives way to what it says.
SAY = """
update inbound_messages
   set body = case when body = %(sign)s then %(text)s else body || E'\n' || %(text)s end
 where id = %(message_id)s and state = 'taken'
"""
CHARGE = """
select store_model_call(
  %(turn_id)s, %(fence)s, %(draft)s, %(call_id)s, null, %(model)s,
  %(input_tokens)s, %(output_tokens)s, %(is_estimated)s, %(response)s)
"""


@dataclass(frozen=True)
class Unread:
    """`place`: among the files of its turn, from 1."""

    message_id: int
    media: dict
    place: int


@dataclass(frozen=True)
class Begun:
    state: str
    attempts: int
    media_type: str | None
    file_name: str | None
    content: bytes | None = field(repr=False)


def unread(conn, turn_id: str) -> list[Unread]:
    with conn.cursor() as cursor:
        cursor.execute(UNREAD, (turn_id,))
        return [Unread(*row) for row in cursor]


def begin(conn, message_id: int) -> Begun | None:
    """Counts the attempt; None when the contact took the message back."""
    with conn.cursor() as cursor:
        cursor.execute(BEGIN, (message_id,))
        row = cursor.fetchone()
    return row and Begun(*row[:4], bytes(row[4]) if row[4] is not None else None)


def keep_bytes(conn, message_id: int, media_type: str | None, content: bytes) -> None:
    _do(conn, KEEP_BYTES, media_type, content, message_id)


def keep_read(conn, message_id: int, text: str | None) -> None:
    _do(conn, KEEP_READ, text, list(PICTURES), message_id)


def keep_heard(conn, charge: dict, file: Unread, heard: Transcript) -> None:
    """What was paid for is charged in the transaction that keeps it; words, where there are any."""
    values = {**charge, "response": json.dumps({"heard": file.message_id})}
    said = {"text": heard.text, "sign": named(file.media), "message_id": file.message_id}
    with conn.cursor() as cursor:
        cursor.execute(CHARGE, values)
        if heard.text:
            cursor.execute(SAY, said)
            keep_read(conn, file.message_id, heard.text)


def refuse(conn, message_id: int, code: str, notice: str) -> None:
    """`notice`: what the contact is told of it."""
    _do(conn, REFUSE, code, notice, message_id)


def _do(conn, statement: str, *values) -> None:
    with conn.cursor() as cursor:
        cursor.execute(statement, values)
