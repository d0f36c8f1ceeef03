"""Fetch and read the files of the turn's messages, or note why not."""

from collections import Counter
from functools import partial

import f.chat.attachments as attachments
import f.chat.lease as lease
import f.chat.outbox as outbox
import f.chat.turns as turns
import f.chat.typing_sign as typing_sign
from f.agent.model_slot import slots_of, transcription_slot
from f.agent.pictures import sees
from f.chat.attachment_reading import AttachmentReader, Senses
from f.shared.resources import c_model, postgresql

OF_TURN = """
select chatbots.id::text, turns.organization_id::text,
       case when turns.usage_decision = 'economy' then chatbots.economy_model end
  from turns
  join conversations on conversations.id = turns.conversation_id
  join channels on channels.id = conversations.channel_id
  join chatbots on chatbots.id = channels.chatbot_id
 where turns.id = %s
"""


def main(db: postgresql, model: c_model, sealing_key: str, turn_id: str, fence: int) -> dict:
    open_transaction = partial(turns.transaction, db, turn_id, fence)
    with open_transaction() as conn:
        turns.begin_attempt(conn, turn_id, fence)
        account = outbox.account_of_turn(conn, sealing_key, turn_id)
        organization_id, senses = senses_of(conn, turn_id, model, sealing_key)
        unread = attachments.unread(conn, turn_id)
    on_refusal = partial(turns.alert_of_model, open_transaction, organization_id)
    reader = AttachmentReader(open_transaction, turn_id, fence, account, senses, on_refusal)
    with lease.kept(db, turn_id, fence), typing_sign.shown(account):
        outcomes = Counter(reader.read(file) for file in unread)
    return {"read": outcomes["read"], "refused": outcomes["refused"]}


def senses_of(conn, turn_id: str, model: c_model, sealing_key: str) -> tuple[str, Senses]:
    """The organization's id, and what its chatbot's models can take in."""
    with conn.cursor() as cursor:
        cursor.execute(OF_TURN, (turn_id,))
        chatbot_id, organization_id, economy_model = cursor.fetchone()
    slots = slots_of(conn, chatbot_id, model, economy_model, sealing_key)
    ears = transcription_slot(conn, chatbot_id, model, sealing_key)
    return organization_id, Senses(any(map(sees, slots)), ears)
