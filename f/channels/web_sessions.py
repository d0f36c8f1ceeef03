"""Sessions of the web chat: the only code that asks the database for a page."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from f.channels.messages import WebhookRefused
from f.channels.web_identity import Person


@dataclass(frozen=True)
class Bucket:
    """A rate, and whose: a session's, an address's, the whole channel's."""

    subject: str
    per_second: float
    burst: int


@dataclass(frozen=True)
class Opened:
    session_id: str
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class Session:
    """A page that showed its token."""

    id: str
    token_hash: str
    conversation_id: str
    contact_key: str


@dataclass(frozen=True)
class State:
    """What a page waits for a change of. `mode`: bot, human (a teammate took over) or muted."""

    last_number: int
    mode: str
    is_typing: bool


@dataclass(frozen=True)
class Upload:
    file_name: str
    media_type: str
    sha256: str
    size_bytes: int


def take_tokens(conn, channel_id: str, buckets: Sequence[Bucket]) -> float:
    """Seconds to wait; 0 when each bucket had a token."""
    columns = zip(*((b.subject, b.per_second, b.burst) for b in buckets), strict=True)
    with conn.cursor() as cursor:
        cursor.execute(
            "select take_web_tokens(%s, %s, %s::numeric[], %s::numeric[])",
            (channel_id, *map(list, columns)),
        )
        return float(cursor.fetchone()[0])


def chatbot_name(conn, channel_id: str) -> str:
    with conn.cursor() as cursor:
        cursor.execute("select read_web_chatbot(%s)", (channel_id,))
        return cursor.fetchone()[0]


def start(conn, channel_id: str, person: Person | None, language: str | None) -> Opened:
    token = secrets.token_urlsafe(32)
    key, name = (person.key, person.name) if person else (None, None)
    with conn.cursor() as cursor:
        cursor.execute(
            "select session_id, expires_at from start_web_session(%s, %s, %s, %s, %s)",
            (channel_id, _hash(token), key, name, language),
        )
        found, expires_at = cursor.fetchone()
    return Opened(found, token, expires_at)


def find(conn, channel_id: str, session_id: str, token: str) -> Session:
    """Raises WebhookRefused: whose token it is not is told no more than who has none."""
    if not token:
        sentence = "The header X-Session-Token is missing."
        raise WebhookRefused(403, "session_token_required", sentence)
    token_hash = _hash(token)
    with conn.cursor() as cursor:
        cursor.execute(
            "select conversation_id, contact_key, is_expired from find_web_session(%s, %s, %s)",
            (channel_id, session_id, token_hash),
        )
        row = cursor.fetchone()
    if row is None:
        sentence = "This token is not of this session."
        raise WebhookRefused(403, "session_token_invalid", sentence)
    conversation_id, contact_key, is_expired = row
    if is_expired:
        raise WebhookRefused(403, "session_expired", "The session is older than seven days.")
    return Session(session_id, token_hash, conversation_id, contact_key)


def lines(conn, session: Session, after: int, limit: int) -> list[dict]:
    """`client_message_id` and `file_name` are of what the visitor sent, else null."""
    with conn.cursor() as cursor:
        cursor.execute(
            "select number, author, body, provider_message_id, file_name, written_at"
            " from read_web_lines(%s, %s, %s, %s)",
            (session.id, session.token_hash, after, limit),
        )
        return [
            {
                "number": number,
                "author": author,
                "text": body,
                "client_message_id": message_id and message_id.rpartition(":")[2],
                "file_name": file_name,
                "written_at": written_at.isoformat(),
            }
            for number, author, body, message_id, file_name, written_at in cursor
        ]


def states(conn, conversation_ids: Sequence[str]) -> dict[str, State]:
    """Of the conversations that are still there."""
    with conn.cursor() as cursor:
        cursor.execute(
            "select conversation_id, last_number, mode, is_typing from read_web_states(%s::uuid[])",
            (list(conversation_ids),),
        )
        return {conversation_id: State(*columns) for conversation_id, *columns in cursor}


def store_upload(conn, session: Session, name: str, media_type: str, content: bytes) -> str:
    with conn.cursor() as cursor:
        cursor.execute(
            "select store_web_upload(%s, %s, %s, %s, %s, %s)",
            (
                session.id,
                session.token_hash,
                name,
                media_type,
                hashlib.sha256(content).hexdigest(),
                content,
            ),
        )
        return cursor.fetchone()[0]


def find_upload(conn, session: Session, upload_id: str) -> Upload:
    """Raises WebhookRefused for a file of another conversation as for none."""
    with conn.cursor() as cursor:
        cursor.execute(
            "select file_name, media_type, sha256, size_bytes from find_web_upload(%s, %s, %s)",
            (session.id, session.token_hash, upload_id),
        )
        row = cursor.fetchone()
    if row is None:
        raise WebhookRefused(400, "attachment_unknown", "This session uploaded no such file.")
    return Upload(*row)


def write_as_teammate(
    conn, channel_id: str, conversation_id: str, message_id: str, text: str
) -> None:
    """Once, however often it is posted; the chatbot is silent from then on. Raises WebhookRefused
    for a conversation of another channel as for none."""
    values = (channel_id, conversation_id, message_id, text)
    _in_conversation(conn, "select write_as_teammate(%s, %s, %s, %s)", values)


def set_mode(conn, channel_id: str, conversation_id: str, mode: str) -> str:
    """`human`: a teammate takes over; `bot`: they give it back. The mode that it has then: what is
    muted stays so. Raises WebhookRefused."""
    values = (channel_id, conversation_id, mode)
    return _in_conversation(conn, "select set_web_mode(%s, %s, %s)", values)


def _in_conversation(conn, statement: str, values: tuple) -> object:
    with conn.cursor() as cursor:
        cursor.execute(statement, values)
        found = cursor.fetchone()[0]
    if not found:
        sentence = "This channel has no such conversation."
        raise WebhookRefused(404, "conversation_unknown", sentence)
    return found


def forget(conn, session: Session) -> None:
    with conn.cursor() as cursor:
        cursor.execute("select forget_web_contact(%s, %s)", (session.id, session.token_hash))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
