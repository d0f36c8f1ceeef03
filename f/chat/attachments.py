"""Files that hang on messages: the only code that reads and writes their table."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from f.agent.contact_files import ContactFile
from f.agent.pictures import Picture
from f.agent.transcription import Transcript
from f.channels.content import named
from f.shared.media_types import PICTURES

# Of one turn: each is paid in every round of the model.
MOST_PICTURES = 3
MOST_FILES = 8
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
update attachments set state = 'refused', refusal = %s, content = null
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
  %(turn_id)s, %(fence)s, %(draft)s,
  (select count(*)::integer from model_calls where turn_id = %(turn_id)s and draft = %(draft)s),
  %(model)s, %(input_tokens)s, %(output_tokens)s, %(is_estimated)s, %(response)s)
"""
# What a turn may know of: its own files, and of the same conversation those of turns of the last
# day that the contact has not had forgotten.
OF_CONVERSATION = """
select inbound_message_id, turn_id = %(turn_id)s, attachments.state, media_type, file_name,
       text, refusal, attachments.created_at > now() - interval '1 hour'
  from attachments join inbound_messages on inbound_messages.id = inbound_message_id
 where attachments.conversation_id = %(conversation_id)s
   and (turn_id = %(turn_id)s or attachments.created_at > now() - interval '1 day' and exists (
     select from messages join conversations on conversations.id = messages.conversation_id
      where messages.turn_id = inbound_messages.turn_id and messages.id > history_after))
 order by inbound_message_id desc limit 40
"""
PICTURES_OF = """
select media_type, content from attachments
 where inbound_message_id = any(%s) and content is not null order by inbound_message_id
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


@dataclass(frozen=True)
class Attached:
    """What a turn's model is given of files. `refusals`: why others were not read, one of each."""

    pictures: tuple[Picture, ...] = ()
    files: tuple[ContactFile, ...] = ()
    refusals: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pictures or self.files or self.refusals)


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


def keep_heard(conn, turn_id: str, fence: int, file: Unread, heard: Transcript) -> None:
    """What was paid for is charged in the transaction that keeps it."""
    values = {
        "turn_id": turn_id,
        "fence": fence,
        "draft": TRANSCRIPTION_DRAFT,
        "model": heard.model,
        "input_tokens": heard.input_tokens,
        "output_tokens": heard.output_tokens,
        "is_estimated": heard.is_estimated,
        "response": json.dumps({"heard": file.message_id}),
    }
    said = {"text": heard.text, "sign": named(file.media), "message_id": file.message_id}
    with conn.cursor() as cursor:
        cursor.execute(CHARGE, values)
        if heard.text:
            cursor.execute(SAY, said)
    if heard.text:
        keep_read(conn, file.message_id, heard.text)
    else:
        refuse(conn, file.message_id, "voice_not_understood")


def refuse(conn, message_id: int, code: str) -> None:
    _do(conn, REFUSE, code, message_id)


def of_turn(cursor, turn_id: str, conversation_id: str, only_own: bool) -> Attached:
    """Newest first. `only_own`: nothing of the turns before."""
    cursor.execute(OF_CONVERSATION, {"turn_id": turn_id, "conversation_id": conversation_id})
    rows = [row for row in cursor.fetchall() if row[1] or not only_own]
    refusals = dict.fromkeys(row[6] for row in rows if row[1] and row[6])
    texts = [row for row in rows if row[2] == "read" and row[5] and row[3] is None]
    files = [ContactFile(row[4] or "file", row[5]) for row in texts[:MOST_FILES]]
    return Attached(_pictures(cursor, rows), tuple(files), tuple(refusals))


def _pictures(cursor, rows: Iterable[tuple]) -> tuple[Picture, ...]:
    """Of this turn; where it has none, the last one, for what is asked about it next."""
    seen = [row for row in rows if row[2] == "read" and row[3] in PICTURES]
    chosen = [row[0] for row in seen if row[1]][:MOST_PICTURES]
    chosen = chosen or [row[0] for row in seen if row[7]][:1]
    if not chosen:
        return ()
    cursor.execute(PICTURES_OF, (chosen,))
    return tuple(Picture(media_type, bytes(content)) for media_type, content in cursor)


def _do(conn, statement: str, *values) -> None:
    with conn.cursor() as cursor:
        cursor.execute(statement, values)
