"""What is known of a conversation before a turn, and what a turn leaves for the next."""

import f.agent.prompts as prompts
from f.agent.context import Known, Line, Summary, sha256_of
from f.shared.crypto import seal

# More are never looked at; what a model is told of them is bounded by tokens.
HISTORY_LINES = 120
# Of one line: a paste is paid again in every round.
LINE_CHARACTERS = 1000

READ_SUMMARY = """
select greatest(history_after, last_message_id),
       case when last_message_id > history_after then summary else '' end
  from conversations left join conversation_summaries on conversation_id = conversations.id
 where conversations.id = %s
"""
READ_LINES = """
select id, case author when 'contact' then 'user' else 'assistant' end, body from (
  select id, author, left(body, %(characters)s) as body from messages
   where conversation_id = %(conversation_id)s and id > %(after)s and body <> ''
   order by id desc limit %(lines)s
) as newest order by id
"""
# What was learned before the contact had the conversation forgotten is forgotten too. What this
# turn learned itself is in its own calls: taken up again, it is told what it was told at first.
READ_FACTS = """
select name, value from (
  select name,
         case turn_id when %(turn_id)s then value_before else value end as value,
         case turn_id when %(turn_id)s then written_before else written_at end as written_at
    from contact_facts where contact_id = %(contact_id)s
) as fact
 where written_at > coalesce((
   select max(messages.written_at)
     from messages join conversations on conversations.id = messages.conversation_id
    where conversations.id = %(conversation_id)s and messages.id <= history_after
 ), '-infinity')
 order by name
"""
READ_NOTES = """
select note from handoffs
 where conversation_id = %s and note is not null and state = 'ended' order by ended_at desc limit 3
"""
WRITE_SUMMARY = """
insert into conversation_summaries as kept (
  conversation_id, organization_id, last_message_id, summary
)
select conversation_id, organization_id, %(last_message_id)s, %(summary)s
  from turns where id = %(turn_id)s
    on conflict on constraint conversation_summaries_pkey do update
   set last_message_id = excluded.last_message_id, summary = excluded.summary, written_at = now()
 where kept.last_message_id < excluded.last_message_id
"""
WRITE_PROMPT = """
insert into turn_prompts (turn_id, organization_id, version, sha256, sealed_prompt)
select id, organization_id, %(version)s, %(sha256)s, %(sealed_prompt)s
  from turns where id = %(turn_id)s
    on conflict on constraint turn_prompts_pkey do nothing
"""


def read(cursor, turn_id: str, conversation_id: str, contact_id: str) -> Known:
    cursor.execute(READ_SUMMARY, (conversation_id,))
    last_message_id, summary = cursor.fetchone() or (0, "")
    values = {
        "conversation_id": conversation_id,
        "after": last_message_id,
        "lines": HISTORY_LINES,
        "characters": LINE_CHARACTERS,
    }
    cursor.execute(READ_LINES, values)
    lines = [Line(*row) for row in cursor]
    place = {"turn_id": turn_id, "contact_id": contact_id, "conversation_id": conversation_id}
    cursor.execute(READ_FACTS, place)
    facts = dict(cursor.fetchall())
    cursor.execute(READ_NOTES, (conversation_id,))
    return Known(lines, summary, facts, [note for (note,) in cursor])


def keep_summary(cursor, turn_id: str, summary: Summary) -> None:
    values = {
        "turn_id": turn_id,
        "last_message_id": summary.last_message_id,
        "summary": summary.text,
    }
    cursor.execute(WRITE_SUMMARY, values)


def keep_prompt(cursor, turn_id: str, sealing_key: str, prompt: str) -> None:
    values = {
        "turn_id": turn_id,
        "version": prompts.VERSION,
        "sha256": sha256_of(prompt),
        "sealed_prompt": seal(sealing_key, prompt, prompt_place(turn_id)),
    }
    cursor.execute(WRITE_PROMPT, values)


def prompt_place(turn_id: str) -> str:
    return f"turn_prompts.sealed_prompt:{turn_id}"
