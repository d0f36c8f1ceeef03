"""What a question's words count for in the documents of an organization.

A word tells the more the fewer chunks hold it. Codes, numbers and names mean exactly themselves.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

MAX_CHARACTERS = 4000
MAX_FORMS = 128
# A chunk that holds a code of the question comes before all that hold none.
FOR_CODE = 2.0
FOR_NAME = 0.25
FOR_RARE_WORD = 0.05
RARE_WORD_CHUNKS = 3
RARE_NAME_CHUNKS = 8
# Letters with digits, an address, or a number that is hardly a quantity: 4711, 14.50.
CODE = re.compile(r"#(?=.*\d)(?=.*[^\W\d_]).*|#.*@.*|#\d{4,}|#\d+[-./:]\d.*")

FIND_WORDS = """
select place, form, chunk_count, chunk_ids, all_chunks
  from question_words(%(organization_id)s, %(question)s)
"""
FIND_WITHIN = """
select chunks.id::text
  from documents_to_search(%(organization_id)s, %(tags)s::text[]) as documents (id)
  join chunks on chunks.document_id = documents.id
 where organization_id = %(organization_id)s and chunks.id = any (%(chunk_ids)s::uuid[])
"""


@dataclass(frozen=True)
class Word:
    """A form of one word of the question, as the organization's documents hold it."""

    place: int
    form: str
    chunk_count: int
    chunk_ids: list[str] | None
    weight: float


@dataclass(frozen=True)
class QuestionWords:
    """Forms with their place, weight (1 over all places) and bonus; chunks that hold rare ones."""

    places: list[int]
    forms: list[str]
    weights: list[float]
    bonuses: list[float]
    chunk_ids: list[str]


def find_words(
    cursor,
    organization_id: str,
    question: str,
    most_chunks: int,
    tags: Sequence[str] = (),
) -> QuestionWords:
    """`tags`: chunks of sources with one of them; how much a word tells is counted in all."""
    values = {"organization_id": organization_id, "question": searchable(question)}
    cursor.execute(FIND_WORDS, values)
    words = [
        Word(place, form, count, chunk_ids, math.log(1 + total / (count + 0.5)))
        for place, form, count, chunk_ids, total in cursor.fetchall()
    ][:MAX_FORMS]
    if tags:
        named = {chunk_id for word in words for chunk_id in word.chunk_ids or ()}
        kept = chunks_within(cursor, organization_id, named, tags)
        words = [
            replace(one, chunk_ids=[each for each in one.chunk_ids or () if each in kept])
            for one in words
        ]
    return weighed(words, most_chunks)


def chunks_within(
    cursor, organization_id: str, chunk_ids: Iterable[str], tags: Sequence[str]
) -> set[str]:
    """Those of sources with one of the tags."""
    values = {"chunk_ids": list(chunk_ids), "tags": list(tags)}
    cursor.execute(FIND_WITHIN, {"organization_id": organization_id, **values})
    return {chunk_id for (chunk_id,) in cursor.fetchall()}


def searchable(question: str) -> str:
    # Postgres takes no NUL and no lone surrogate.
    return re.sub("[\0\ud800-\udfff]", " ", question[:MAX_CHARACTERS])


def weighed(words: list[Word], most_chunks: int) -> QuestionWords:
    stems = {word.place: word for word in words if word.form[0] not in "#^"}
    heaviest: dict[int, float] = {}
    for word in words:
        if word.place and word.form[0] != "^":
            heaviest[word.place] = max(word.weight, heaviest.get(word.place, 0))
    total = sum(heaviest.values()) or 1
    bonuses = [bonus(word, stems.get(word.place)) for word in words]
    chunks: Counter[str] = Counter()
    for word, extra in zip(words, bonuses, strict=True):
        chunks.update(dict.fromkeys(word.chunk_ids or (), word.weight / total + extra))
    weights = [word.weight / total if word.form[0] != "^" else 0.0 for word in words]
    # What counts for nothing need not be looked for in every candidate.
    counted = [number for number in range(len(words)) if weights[number] or bonuses[number]]
    return QuestionWords(
        places=[words[number].place for number in counted],
        forms=[words[number].form for number in counted],
        weights=[weights[number] for number in counted],
        bonuses=[bonuses[number] for number in counted],
        chunk_ids=[chunk_id for chunk_id, _ in chunks.most_common(most_chunks)],
    )


def bonus(word: Word, stem: Word | None) -> float:
    if CODE.fullmatch(word.form):
        return FOR_CODE
    if word.form[0] == "^":
        # Also used as a common word (May, Mark), a name says little.
        is_name = stem is None or 2 * word.chunk_count >= stem.chunk_count
        return FOR_NAME if is_name and word.chunk_count <= RARE_NAME_CHUNKS else 0.0
    is_rare = word.form[0] != "#" and word.chunk_count <= RARE_WORD_CHUNKS
    return FOR_RARE_WORD if is_rare else 0.0
