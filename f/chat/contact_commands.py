"""What a contact's commands are answered with, and what they change."""

import f.channels.commands as commands
from f.agent.hand_off_tool import ask_teammate
from f.chat.turn_context import TurnContext

READ_FACTS = """
select count(*) filter (where author = 'contact'),
       count(distinct turn_id) filter (where author = 'chatbot'),
       coalesce(min(written_at), now())
  from messages where conversation_id = %s
"""
FORGET_HISTORY = """
update conversations
   set history_after = coalesce(
         (select max(id) from messages where conversation_id = conversations.id), 0)
 where id = %s
"""
KEEP_FEEDBACK = """
insert into feedback (organization_id, conversation_id, turn_id, body) values (%s, %s, %s, %s)
on conflict on constraint feedback_pkey do nothing
"""


def replies(conn, turn: TurnContext) -> list[str]:
    """One for each command of the turn, in Markdown; there is at least one."""
    with conn.cursor() as cursor:
        cursor.execute(READ_FACTS, (turn.conversation_id,))
        asked, answered, since = cursor.fetchone()
    facts = {
        "name": turn.chatbot_name,
        "asked": asked + 1,
        "answered": answered,
        "since": since.astimezone(turn.now.tzinfo).date().isoformat(),
    }
    return [
        commands.reply_to(name, text, turn.language, turn.channel_settings, facts)
        for name, text in turn.commands
    ]


def take_effect(conn, turn: TurnContext) -> None:
    """In the transaction that commits the replies. Opting out and in took effect on arrival; a
    person takes over once the reply is sent."""
    with conn.cursor() as cursor:
        for name, text in turn.commands:
            command = commands.read(text, turn.channel_settings)
            if name == "clear":
                cursor.execute(FORGET_HISTORY, (turn.conversation_id,))
            if name == "human":
                ask_teammate(cursor, turn.turn_id, "asked_by_contact")
            if name == "feedback" and command and command.rest:
                place = (turn.organization_id, turn.conversation_id, turn.turn_id)
                cursor.execute(KEEP_FEEDBACK, (*place, command.rest))
