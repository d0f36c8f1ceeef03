"""Codes of a question that stand in no document: what is found is about others like them."""

import re
from collections.abc import Sequence

from f.knowledge.search import Passage, searchable

MAX_CODES = 5
TOKEN = re.compile(r"(?<!\w)[a-z0-9]+(?:[-./_+#][a-z0-9]+)*(?!\w)", re.I | re.ASCII)
# A letter before a digit: 30cm and 6pm are quantities.
CODE = re.compile(r"[a-z](?=.*\d).{1,39}", re.I | re.ASCII)
BETWEEN = re.compile(r"(?<=[a-z])[-./_+#]?(?=\d)")
SEPARATORS = ("", "-", "/", ".", "_")

FIND_KNOWN = """
select word, chunk_ids::text[] from words where organization_id = %s and word = any (%s)
"""
FIND_WITHIN = """
select chunks.id::text
  from documents_to_search(%(organization_id)s, %(tags)s::text[]) as documents (id)
  join chunks on chunks.document_id = documents.id
 where organization_id = %(organization_id)s and chunks.id = any (%(chunk_ids)s::uuid[])
"""


def codes_in_no_document(
    conn, organization_id: str, question: str, tags: Sequence[str] = ()
) -> list[str]:
    """As the contact wrote them; in doubt a code is known. `tags`: in no source with one."""
    asked = {code: forms_of(code) for code in codes_of(question)}
    if not asked:
        return []
    with conn.cursor() as cursor:
        forms = [form for forms in asked.values() for form in forms]
        cursor.execute(FIND_KNOWN, [organization_id, forms])
        found = cursor.fetchall()
        if tags:
            found = _within(cursor, organization_id, found, tags)
        known = {form for form, _ in found}
    return [code for code, forms in asked.items() if not known & forms]


def _within(cursor, organization_id: str, found: list[tuple], tags: Sequence[str]) -> list:
    """Where a form stands too often to say where, it may well stand there."""
    named = {chunk_id for _, chunk_ids in found for chunk_id in chunk_ids or ()}
    values = {"organization_id": organization_id, "chunk_ids": list(named), "tags": list(tags)}
    cursor.execute(FIND_WITHIN, values)
    kept = {chunk_id for (chunk_id,) in cursor.fetchall()}
    return [one for one in found if one[1] is None or kept.intersection(one[1])]


def codes_of(question: str) -> list[str]:
    tokens = dict.fromkeys(TOKEN.findall(searchable(question)))
    return [token for token in tokens if CODE.fullmatch(token)][:MAX_CODES]


def forms_of(code: str) -> set[str]:
    """As documents may write it (word_forms): ZX-4471, ZX4471, ZX/4471, ZX 4471."""
    written = code.lower()
    variants = {BETWEEN.sub(separator, written) for separator in SEPARATORS}
    numbers = re.findall(r"\d+", written)
    return {f"#{form}" for form in (written, joined(written), *variants, *numbers)}


def names_another(passage: Passage, code: str) -> bool:
    """Whether it holds a code that differs from this one in its digits, and not this one."""
    parts = re.findall(r"[a-z]+|\d+", code.lower())
    alike = r"[-./_+# ]?".join(r"\d+" if part.isdigit() else part for part in parts)
    found = re.findall(rf"(?<!\w){alike}(?!\w)", passage.content, re.I | re.ASCII)
    return bool(found) and joined(code) not in map(joined, found)


def joined(code: str) -> str:
    return re.sub(r"[^a-z0-9]", "", code.lower())
