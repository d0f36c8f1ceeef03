"""Find the passages of an organization's documents that answer a question.

Every chunk of the organization is compared, so a small organization beside a large one misses
nothing, as it would with an index over everybody's vectors: first by codes of three bits a
dimension, then the nearest few by their whole vectors. Words add to meaning as far as they tell
chunks apart (question_words). What fits best comes first; for the places after it, passages that
are alike vote for each other: several answers to one question are, and what fits by chance stands
alone. What says the same as a better one in nearly the same words comes last.
"""

from dataclasses import dataclass

from f.knowledge.embeddings import of_unit_length
from f.knowledge.question_words import find_words

CANDIDATES = 40
# Of 100,000 chunks, 0.998 of the ten nearest by vectors are among these nearest by codes.
SHORTLIST = 240

FIND_DOCUMENTS = """
select id::text
  from documents
 where organization_id = %(organization_id)s
   and is_active
   and (%(source_ids)s::uuid[] is null or source_id = any (%(source_ids)s::uuid[]))
   and (%(language)s::text is null or language = %(language)s)
   and tags @> %(tags)s::text[]
"""

SEARCH = """
select chunk_id::text, document_id::text, title, heading_path, page, content, score, similarity
  from search_chunks(
    %(organization_id)s, %(embedding_model)s, %(vector)s, %(document_ids)s::uuid[],
    %(places)s::integer[], %(forms)s::text[], %(weights)s::float8[], %(bonuses)s::float8[],
    %(chunk_ids)s::uuid[], %(words_weight)s, %(votes_margin)s, %(shortlist)s, %(candidates)s,
    %(limit)s)
"""


@dataclass(frozen=True)
class Weights:
    """Chosen on the first half of StackFAQ's questions by `./chatmill bench knowledge --tune`: the
    second had no part in these numbers, but the form of the ranking was found with both in sight.

    `words`: how much all words of a question count beside its meaning. `votes_margin`: by how many
    standard deviations two candidates must be more alike than usual to vote for each other.
    """

    words: float = 0.15
    votes_margin: float = 1.0


WEIGHTS = Weights()


@dataclass(frozen=True)
class Passage:
    chunk_id: str
    document_id: str
    title: str
    heading_path: str
    page: int | None
    content: str
    score: float
    similarity: float


@dataclass(frozen=True)
class Only:
    """What a search is narrowed to; documents hold all of the tags."""

    source_ids: list[str] | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()


def search(
    conn,
    organization_id: str,
    query: str,
    query_vector: list[float],
    embedding_model: str,
    limit: int = 5,
    only: Only | None = None,
    weights: Weights = WEIGHTS,
) -> list[Passage]:
    """The best first; none when another embedding model is searched. `score` orders passages of
    one search; `similarity` compares searches."""
    candidates = max(CANDIDATES, 2 * limit)
    with conn.cursor() as cursor:
        values = {
            "organization_id": organization_id,
            "embedding_model": embedding_model,
            "vector": str(of_unit_length(query_vector)),
            "document_ids": find_documents(cursor, organization_id, only) if only else None,
            "words_weight": weights.words,
            "votes_margin": weights.votes_margin,
            "shortlist": max(SHORTLIST, 4 * candidates),
            "candidates": candidates,
            "limit": limit,
        }
        words = find_words(cursor, organization_id, query, candidates)
        cursor.execute(SEARCH, {**values, **vars(words)})
        return [Passage(*row) for row in cursor.fetchall()]


def find_documents(cursor, organization_id: str, only: Only) -> list[str]:
    values = {"organization_id": organization_id, **vars(only), "tags": list(only.tags)}
    cursor.execute(FIND_DOCUMENTS, values)
    return [document_id for (document_id,) in cursor.fetchall()]
