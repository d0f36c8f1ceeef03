"""One file of a contact's, from its vendor to words or a picture; each stage kept when it is done.

Killed anywhere, it goes on at the next attempt behind what was kept: nothing is fetched again, and
a transcription that was paid is used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import f.agent.document_reading as document_reading
import f.channels.registry as registry
import f.chat.attachment_store as attachment_store
import f.chat.turns as turns
from f.agent.model_slot import ModelSlot
from f.agent.transcription import MAX_BYTES as MAX_RECORDING_BYTES
from f.agent.transcription import Transcript, transcribe
from f.channels.accounts import Account
from f.channels.content import UNSEEN
from f.chat.attachment_store import TRANSCRIPTION_DRAFT, Begun, Unread
from f.chat.model_calls import charge_of, until_kept
from f.shared.db import connect
from f.shared.errors import (
    DeliveryUnknown,
    InputRefused,
    Misconfigured,
    UpstreamBusy,
    UpstreamDown,
    UpstreamRefused,
)
from f.shared.media_types import PICTURES, RECORDINGS, seconds_of, tell
from f.shared.resources import postgresql

MAX_ATTEMPTS = 3
# Of one turn: an album has at most ten.
MOST_FILES = 10
# Hearing is paid by the minute.
MAX_RECORDING_SECONDS = 10 * 60
MAX_PICTURE_BYTES = 5 * 1024 * 1024  # the least that a model's vendor takes
MAX_BYTES = {
    "image": MAX_PICTURE_BYTES,
    "audio": MAX_RECORDING_BYTES,
    "document": document_reading.MAX_BYTES,
}
# What the contact reads of it: see f/chat/file_notices.py.
REFUSALS = {
    "document_too_large": "media_too_large",
    "document_type_unknown": "media_unsupported",
    "document_type_mismatch": "media_unsupported",
}


@dataclass(frozen=True)
class Senses:
    """What the chatbot's models can take in; `ears` hear voice messages."""

    sees: bool
    ears: ModelSlot | None


class AttachmentReader:
    """`in_words(code)`: a refusal as the contact is told it. `on_refusal(slot, status)`: told when
    the endpoint for transcription refuses for good."""

    def __init__(
        self,
        db: postgresql,
        turn_id: str,
        fence: int,
        account: Account,
        senses: Senses,
        in_words: Callable[[str], str],
        on_refusal: Callable[[ModelSlot, int | None], None],
    ):
        self._open = partial(turns.transaction, db, turn_id, fence)
        self._open_any = partial(connect, db)
        self._turn = {"turn_id": turn_id, "fence": fence, "draft": TRANSCRIPTION_DRAFT}
        self._account, self._senses = account, senses
        self._in_words, self._on_refusal = in_words, on_refusal

    def read(self, file: Unread) -> str:
        """read or refused. Raises UpstreamDown and UpstreamBusy while another attempt may help,
        Misconfigured when the channel's own access is broken, StaleTurn."""
        with self._open() as conn:
            begun = attachment_store.begin(conn, file.message_id)
        if begun is None or begun.state in ("read", "refused"):
            return "read"
        try:
            self._read(file, begun)
        except InputRefused as refusal:
            return self._refuse(file, REFUSALS.get(refusal.code, refusal.code))
        except (UpstreamDown, UpstreamBusy, DeliveryUnknown) as error:
            if begun.attempts >= MAX_ATTEMPTS:
                return self._refuse(file, "media_lost")
            raise UpstreamDown(f"a contact's file is not there yet: {error}") from error
        except UpstreamRefused:
            return self._refuse(file, "media_lost")
        return "read"

    def _read(self, file: Unread, begun: Begun) -> None:
        if file.place > MOST_FILES:
            raise _refused("media_too_many")
        if begun.attempts > MAX_ATTEMPTS:
            raise _refused("media_lost" if begun.content is None else "document_unreadable")
        self._check(file.media["type"])
        content, media_type = begun.content, begun.media_type
        if content is None:
            content = self._fetched(file.media)
            media_type = tell(content)
            with self._open() as conn:
                attachment_store.keep_bytes(conn, file.message_id, media_type, content)
        if media_type in PICTURES:
            self._check("image")
            self._keep(file, None)
        elif media_type in RECORDINGS and file.media["type"] == "audio":
            self._hear(file, content, media_type)
        elif file.media["type"] == "document" and media_type is None:
            self._keep(file, document_reading.text_of(begun.file_name or "", content))
        else:
            raise _refused("media_unsupported")

    def _check(self, kind: str) -> None:
        """What nobody could take in need not be fetched."""
        if kind == UNSEEN:
            raise _refused("message_unseen")
        if kind == "image" and not self._senses.sees:
            raise _refused("picture_not_seen")
        if kind == "audio" and not self._senses.ears:
            raise _refused("voice_not_heard")
        if kind not in MAX_BYTES:
            raise _refused("media_unsupported")

    def _fetched(self, media: dict) -> bytes:
        if media["error_code"] or not (media["provider_media_id"] or media["url"]):
            raise _refused("media_lost")
        library = registry.media_library(self._account.kind)
        return library.fetch_media(self._account.credentials, media, MAX_BYTES[media["type"]])

    def _hear(self, file: Unread, content: bytes, media_type: str) -> None:
        if seconds_of(content) > MAX_RECORDING_SECONDS:
            raise _refused("media_too_large")
        try:
            heard = transcribe(self._senses.ears, content, media_type)
        except (Misconfigured, UpstreamRefused) as error:
            self._on_refusal(self._senses.ears, getattr(error.__cause__ or error, "status", None))
            raise _refused("voice_not_heard") from error
        charge = {**self._turn, **charge_of(heard)}
        until_kept(partial(self._keep_heard, charge, file, heard), self._open_any, charge)

    def _keep_heard(self, charge: dict, file: Unread, heard: Transcript) -> None:
        with self._open() as conn:
            attachment_store.keep_heard(conn, charge, file, heard)
            if not heard.text:
                self._refuse_in(conn, file, "voice_not_understood")

    def _keep(self, file: Unread, text: str | None) -> None:
        with self._open() as conn:
            attachment_store.keep_read(conn, file.message_id, text)

    def _refuse(self, file: Unread, code: str) -> str:
        with self._open() as conn:
            self._refuse_in(conn, file, code)
        return "refused"

    def _refuse_in(self, conn, file: Unread, code: str) -> None:
        attachment_store.refuse(conn, file.message_id, code, self._in_words(code))


def _refused(code: str) -> InputRefused:
    return InputRefused(code, "A contact's file can't be used; they are told why.")
