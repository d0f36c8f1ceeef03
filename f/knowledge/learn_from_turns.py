"""Group new questions that no document answered, and propose what teammates answered to them."""

import f.knowledge.questions as questions
from f.shared.db import connect
from f.shared.resources import c_model, postgresql


def main(db: postgresql, model: c_model) -> dict:
    with connect(db) as conn, conn.cursor() as cursor:
        cursor.execute("select id::text from organizations_with_new_questions() as id")
        organization_ids = [organization_id for (organization_id,) in cursor]
    grouped = sum(questions.group_new(db, model, one) for one in organization_ids)
    with connect(db) as conn, conn.cursor() as cursor:
        cursor.execute("select draft_answers()")
        (drafted,) = cursor.fetchone()
    return {"questions_grouped": grouped, "answers_drafted": drafted}
