"""Files of a conversation as the agent is given them, and what is said of those not read."""

from collections.abc import Iterable
from dataclasses import dataclass

from f.agent.contact_files import ContactFile, Picture

# Of one turn: each is paid in every round of the model.
MOST_PICTURES = 3
MOST_FILES = 8

# What a turn may know of: its own files, and of the same conversation those of turns of the last
# day that the contact has not had forgotten. Counted from the time that the turn is told, so that
# it is told the same when it is taken up again.
OF_CONVERSATION = """
select inbound_message_id, turn_id = %(turn_id)s, attachments.state, media_type, file_name,
       text, notice, attachments.created_at > told.at - interval '1 hour'
  from attachments join inbound_messages on inbound_messages.id = inbound_message_id
 cross join (select told_at as at from turns where id = %(turn_id)s) as told
 where attachments.conversation_id = %(conversation_id)s
   and (turn_id = %(turn_id)s or attachments.created_at > told.at - interval '1 day' and exists (
     select from messages join conversations on conversations.id = messages.conversation_id
      where messages.turn_id = inbound_messages.turn_id and messages.id > history_after))
 order by inbound_message_id desc limit 40
"""
PICTURES_OF = """
select media_type, content from attachments
 where inbound_message_id = any(%s) and content is not null order by inbound_message_id
"""


@dataclass(frozen=True)
class Attached:
    """What a turn's model is given of files, and what the contact is told of those not read."""

    pictures: tuple[Picture, ...] = ()
    files: tuple[ContactFile, ...] = ()
    notices: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pictures or self.files or self.notices)


def of_turn(cursor, turn_id: str, conversation_id: str, only_own: bool) -> Attached:
    """Newest first. `only_own`: nothing of the turns before."""
    cursor.execute(OF_CONVERSATION, {"turn_id": turn_id, "conversation_id": conversation_id})
    rows = [row for row in cursor.fetchall() if row[1] or not only_own]
    notices = dict.fromkeys(row[6] for row in rows if row[1] and row[6])
    texts = [row for row in rows if row[2] == "read" and row[5] and row[3] is None]
    files = [ContactFile(row[4] or "file", row[5]) for row in texts[:MOST_FILES]]
    return Attached(_pictures(cursor, rows), tuple(files), tuple(notices))


def _pictures(cursor, rows: Iterable[tuple]) -> tuple[Picture, ...]:
    """Of this turn; where it has none, the last one, for what is asked about it next."""
    seen = [row for row in rows if row[2] == "read" and (row[3] or "").startswith("image/")]
    chosen = [row[0] for row in seen if row[1]][:MOST_PICTURES]
    chosen = chosen or [row[0] for row in seen if row[7]][:1]
    if not chosen:
        return ()
    cursor.execute(PICTURES_OF, (chosen,))
    return tuple(Picture(media_type, bytes(content)) for media_type, content in cursor)
