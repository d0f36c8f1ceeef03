"""What the database says of an organization's unanswered questions."""

from local.errors import CannotRun
from local.facts import rows
from local.migrations import connection_to

# Of each group: how often, since when, in whose words, and the answer that waits for approval.
GROUPS = """
select question_groups.id::text, question_groups.state, chatbots.name as chatbot,
       asked.times, asked.first_asked_at, asked.last_asked_at, asked.wordings,
       answer_drafts.answer as proposed_answer, answer_drafts.question as proposed_question
  from question_groups
  join chatbots on chatbots.id = question_groups.chatbot_id
  join lateral (
    select count(*) as times, min(asked_at) as first_asked_at, max(asked_at) as last_asked_at,
           (array_agg(question_of_turn(turn_id) order by asked_at)
             filter (where question_of_turn(turn_id) is not null))[:%(wordings)s] as wordings
      from unanswered_questions where group_id = question_groups.id
  ) as asked on asked.times > 0 and asked.wordings is not null
  left join answer_drafts
    on answer_drafts.group_id = question_groups.id and answer_drafts.state = 'waiting'
 where question_groups.organization_id = %(organization_id)s
   and (question_groups.state = 'open' or %(all)s)
 order by question_groups.state = 'open' desc, asked.times desc, asked.last_asked_at desc
"""
NOT_GROUPED = """
select count(*) as questions from unanswered_questions
 where organization_id = %s and group_id is null
"""
FIND = """
select id::text from question_groups
 where organization_id = %s and starts_with(id::text, %s) limit 2
"""
WORDINGS = 4


def groups(resource: dict, organization_id: str, is_all: bool) -> list[dict]:
    """The most asked first. `wordings`: the first few, as contacts wrote them."""
    values = {"organization_id": organization_id, "all": is_all, "wordings": WORDINGS}
    with connection_to(resource) as connection:
        return rows(connection, GROUPS, values)


def not_grouped(resource: dict, organization_id: str) -> int:
    with connection_to(resource) as connection:
        return rows(connection, NOT_GROUPED, [organization_id])[0]["questions"]


def find(resource: dict, organization_id: str, named: str) -> dict:
    """A group by its id or how that begins. Raises CannotRun."""
    with connection_to(resource) as connection:
        found = [one["id"] for one in rows(connection, FIND, [organization_id, named.lower()])]
    if len(found) == 2:
        raise CannotRun(f"several questions begin with {named}: give more of the id.")
    for one in groups(resource, organization_id, is_all=True):
        if one["id"] in found:
            return one
    raise CannotRun(f"there is no question {named}. See ./chatmill questions.")
