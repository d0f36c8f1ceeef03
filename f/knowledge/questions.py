"""Questions that no document answers: in groups, counted, with what teammates answered to them.

The words of a question stay where they are, in the messages of its turn: what a contact takes back
or has erased is gone here too. Only a proposed answer is copied, until somebody decides on it.
"""

from dataclasses import dataclass

import f.knowledge.sources as sources
from f.knowledge.embeddings import embed, of_unit_length
from f.knowledge.store import MAX_NAME_CHARACTERS
from f.shared.db import connect

QUESTIONS_PER_TRANSACTION = 64
# Two questions more alike than this ask the same. Chosen on one half of StackFAQ; of the other, 97
# of 100 pairs that MiniLM puts together ask the same, and 75 of 100 that do are put together
# (`./chatmill bench knowledge --only grouping`). Models that are not listed were not measured.
SAME_SIMILARITY = {"minilm-l6-v2": 0.6, "hashing-384": 0.5}
USUAL_SIMILARITY = 0.75
# A marked question is one line that a reader tells from text by its length.
MOST_QUESTION_CHARACTERS = 390
NAME_CHARACTERS = 80

GROUP = "select group_question(%s, %s, %s::vector, %s)"

LOCK_GROUP = """
select state from question_groups
 where organization_id = %(organization_id)s and id = %(group_id)s
   for update
"""
FIND_DRAFT = """
select answer_drafts.id::text, question, answer
  from answer_drafts
 where organization_id = %(organization_id)s and group_id = %(group_id)s and state = 'waiting'
"""
# What answers for a chatbot that answers from some sources only has to be one of them.
FIND_TAGS = """
select chatbots.source_tags
  from question_groups join chatbots on chatbots.id = question_groups.chatbot_id
 where question_groups.organization_id = %(organization_id)s and question_groups.id = %(group_id)s
"""
DECIDE_DRAFT = """
update answer_drafts
   set state = %(state)s, question = %(question)s, answer = %(answer)s, source_id = %(source_id)s,
       decided_at = now()
 where id = %(id)s and state = 'waiting'
"""
CLOSE_GROUP = """
update question_groups set state = %(state)s, decided_at = now()
 where organization_id = %(organization_id)s and id = %(group_id)s
"""


@dataclass(frozen=True)
class Draft:
    """`answer`: what teammates wrote, for somebody to look at."""

    id: str
    question: str
    answer: str


def group_new(db: dict, model: dict, organization_id: str) -> int:
    """How many questions were put into groups. No transaction is open while they are embedded."""
    grouped = 0
    while True:
        with connect(db) as conn, conn.cursor() as cursor:
            cursor.execute("select enter_organization(%s)", [organization_id])
            cursor.execute(
                "select turn_id::text, question from questions_to_group(%s)",
                [QUESTIONS_PER_TRANSACTION],
            )
            asked = cursor.fetchall()
        if not asked:
            return grouped
        name = model["embedding_model"]
        vectors = embed(model, [question for _, question in asked])
        with connect(db) as conn, conn.cursor() as cursor:
            cursor.execute("select enter_organization(%s)", [organization_id])
            for (turn_id, _), vector in zip(asked, vectors, strict=True):
                cursor.execute(
                    GROUP, [turn_id, name, str(of_unit_length(vector)), least_similarity(name)]
                )
        grouped += len(asked)


def least_similarity(embedding_model: str) -> float:
    """Of two questions that ask the same."""
    return SAME_SIMILARITY.get(embedding_model, USUAL_SIMILARITY)


def lock_group(conn, organization_id: str, group_id: str) -> str | None:
    """Its state, which nobody else changes until the transaction ends; None when it is gone."""
    with conn.cursor() as cursor:
        cursor.execute(LOCK_GROUP, {"organization_id": organization_id, "group_id": group_id})
        row = cursor.fetchone()
    return row[0] if row else None


def waiting_draft(conn, organization_id: str, group_id: str) -> Draft | None:
    """The transaction has entered the organization."""
    with conn.cursor() as cursor:
        cursor.execute(FIND_DRAFT, {"organization_id": organization_id, "group_id": group_id})
        row = cursor.fetchone()
    return Draft(*row) if row else None


def approve(
    conn, organization_id: str, group_id: str, question: str, answer: str, draft: Draft | None
) -> str:
    """The id of the source that says it, which is due now. Without a draft, somebody wrote the
    answer afresh. Raises InputRefused when the plan is full."""
    question = " ".join(question.split())[:MOST_QUESTION_CHARACTERS]
    name = f"{question[:NAME_CHARACTERS]} ({group_id[:8]}).md"
    content = f"Q: {question}\n\nA: {answer.strip()}\n"
    source_id = sources.add_file(
        conn, organization_id, name[-MAX_NAME_CHARACTERS:], content.encode()
    )
    with conn.cursor() as cursor:
        cursor.execute(FIND_TAGS, {"organization_id": organization_id, "group_id": group_id})
        (tags,) = cursor.fetchone()
    sources.tag(conn, organization_id, [source_id], tags)
    if draft:
        _decide(conn, Draft(draft.id, question, answer), "approved", source_id)
    close(conn, organization_id, group_id, "answered")
    return source_id


def reject(conn, draft: Draft) -> None:
    """It is never proposed again; what teammates answer to the same question elsewhere may be."""
    _decide(conn, draft, "rejected", None)


def close(conn, organization_id: str, group_id: str, state: str) -> None:
    """`answered` or `dismissed`."""
    values = {"organization_id": organization_id, "group_id": group_id, "state": state}
    with conn.cursor() as cursor:
        cursor.execute(CLOSE_GROUP, values)


def _decide(conn, draft: Draft, state: str, source_id: str | None) -> None:
    with conn.cursor() as cursor:
        cursor.execute(DECIDE_DRAFT, {**vars(draft), "state": state, "source_id": source_id})
