"""Find the passages of an organization's documents that answer a question, and what is beside them.

Every chunk of the organization is compared, so a small organization beside a large one misses
nothing, as it would with an index over everybody's vectors: first by codes of three bits a
dimension, then the nearest few by their whole vectors. Words add to meaning as far as they tell
chunks apart (question_words). What fits best comes first; for the places after it, passages that
are alike vote for each other: several answers to one question are, and what fits by chance stands
alone. What says the same as a better one in nearly the same words comes last.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from f.knowledge.embeddings import of_unit_length
from f.knowledge.question_words import find_words

CANDIDATES = 40
# Of 100,000 chunks, 0.998 of the ten nearest by vectors are among these nearest by codes.
SHORTLIST = 240

SEARCH = """
select chunk_id::text, document_id::text, title, heading_path, page, content, score, similarity
  from search_chunks(
    %(organization_id)s, %(embedding_model)s, %(vector)s,
    case when %(tags)s::text[] <> '{}' then array(
      select id from documents_to_search(%(organization_id)s, %(tags)s::text[]) as id) end,
    %(places)s::integer[], %(forms)s::text[], %(weights)s::float8[], %(bonuses)s::float8[],
    %(chunk_ids)s::uuid[], %(words_weight)s, %(votes_margin)s, %(shortlist)s, %(candidates)s,
    %(limit)s)
"""
# A sum in the join would be reckoned only for rows that row-level security has let through, and a
# large document read from one end to the other.
FIND_NEIGHBOURS = """
with beside as materialized (
  select chunks.id as hit_id, document_id, heading_path, position + step as position, step
    from chunks cross join (values (1), (-1)) as sides (step)
   where organization_id = %(organization_id)s and chunks.id = any (%(chunk_ids)s::uuid[])
)
select hit_id::text, near.id::text, near.content, step > 0
  from beside
  join chunks as near on near.document_id = beside.document_id
                     and near.position = beside.position
                     and near.heading_path = beside.heading_path
 where near.organization_id = %(organization_id)s
 order by step desc
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
class Neighbour:
    """The chunk right before or after a passage, below the same headings of its document."""

    chunk_id: str
    content: str
    is_after: bool


def search(
    conn,
    organization_id: str,
    query: str,
    query_vector: list[float],
    embedding_model: str,
    limit: int = 5,
    tags: Sequence[str] = (),
    weights: Weights = WEIGHTS,
) -> list[Passage]:
    """The best first; none when another embedding model is searched. `score` orders passages of
    one search; `similarity` compares searches. `tags`: only in sources that have one of them."""
    candidates = max(CANDIDATES, 2 * limit)
    with conn.cursor() as cursor:
        values = {
            "organization_id": organization_id,
            "embedding_model": embedding_model,
            "vector": str(of_unit_length(query_vector)),
            "tags": list(tags),
            "words_weight": weights.words,
            "votes_margin": weights.votes_margin,
            "shortlist": max(SHORTLIST, 4 * candidates),
            "candidates": candidates,
            "limit": limit,
        }
        words = find_words(cursor, organization_id, query, candidates, tags)
        cursor.execute(SEARCH, {**values, **vars(words)})
        return [Passage(*row) for row in cursor.fetchall()]


def neighbours_of(
    conn, organization_id: str, passages: list[Passage]
) -> dict[str, list[Neighbour]]:
    """By the passage's chunk: what follows it, then what it follows."""
    found: dict[str, list[Neighbour]] = {}
    if not passages:
        return found
    chunk_ids = [passage.chunk_id for passage in passages]
    values = {"organization_id": organization_id, "chunk_ids": chunk_ids}
    with conn.cursor() as cursor:
        cursor.execute(FIND_NEIGHBOURS, values)
        for chunk_id, *neighbour in cursor.fetchall():
            found.setdefault(chunk_id, []).append(Neighbour(*neighbour))
    return found
