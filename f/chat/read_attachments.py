"""Fetch and read the files of the turn's messages, or note why not."""

from collections import Counter
from functools import partial

import f.chat.attachment_store as attachment_store
import f.chat.lease as lease
import f.chat.outbox as outbox
import f.chat.turns as turns
import f.chat.typing_sign as typing_sign
from f.agent.contact_files import sees
from f.agent.model_slot import slots_of, transcription_slot
from f.chat.attachment_reading import AttachmentReader, Senses
from f.chat.file_notices import notice
from f.shared.resources import c_model, postgresql

WHO_LOOKS = f"""
select chatbots.id::text, turns.organization_id::text, {turns.ECONOMY_MODEL}, contacts.language
{turns.OF_TURN}
"""


def main(db: postgresql, model: c_model, sealing_key: str, turn_id: str, fence: int) -> dict:
    open_transaction = partial(turns.transaction, db, turn_id, fence)
    with open_transaction() as conn:
        turns.begin_attempt(conn, turn_id, fence)
        account = outbox.account_of_turn(conn, sealing_key, turn_id)
        organization_id, language, senses = senses_of(conn, turn_id, model, sealing_key)
        unread = attachment_store.unread(conn, turn_id)
    reader = AttachmentReader(
        db,
        turn_id,
        fence,
        account,
        senses,
        in_words=partial(notice, language=language, settings=account.settings),
        on_refusal=partial(turns.alert_of_model, open_transaction, organization_id),
    )
    with lease.kept(db, turn_id, fence), typing_sign.shown(account):
        outcomes = Counter(reader.read(file) for file in unread)
    return {"read": outcomes["read"], "refused": outcomes["refused"]}


def senses_of(
    conn, turn_id: str, model: c_model, sealing_key: str
) -> tuple[str, str | None, Senses]:
    """The organization's id, the contact's language, and what the chatbot's models can take in."""
    with conn.cursor() as cursor:
        cursor.execute(WHO_LOOKS, {"turn_id": turn_id})
        chatbot_id, organization_id, economy_model, language = cursor.fetchone()
    slots = slots_of(conn, chatbot_id, model, economy_model, sealing_key)
    ears = transcription_slot(conn, chatbot_id, model, sealing_key)
    return organization_id, language, Senses(any(map(sees, slots)), ears)
