"""Find the passages of an organization's documents that answer a question, and what is beside them.

Every chunk of the organization is compared, so a small organization beside a large one misses
nothing, as it would with an index over everybody's vectors: first by codes of four bits a
dimension, then the nearest few by their whole vectors. Of a large organization, only the nearest
cells are (divide_chunk_sets), but for a search in tagged sources. Words add to meaning as far as
they tell chunks apart (weighed_words). What is found so is put in order by ranking.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from operator import mul
from typing import NamedTuple

from f.knowledge.ranking import Pair, alike, copies_last, order_by_votes

MAX_CHARACTERS = 4000  # of a question
CANDIDATES = 40
# What weighed_words gives a chunk for a code of the question.
FOR_CODE = 2.0
# Of the words that either of two copies holds, both hold as many.
COPY_WORDS = 0.7

FIND_CANDIDATES = """
select chunk_id::text, document_id::text, title, heading_path, page, content,
       score, bonus, similarity, likenesses
  from find_candidates(
    %(organization_id)s, %(embedding_model)s, l2_normalize(%(vector)s::vector)::halfvec,
    %(question)s, %(tags)s::text[], %(words_weight)s, %(candidates)s)
"""
FIND_WORDS_OF = """
select id::text, words from chunks
 where organization_id = %s and id = any (%s::uuid[])
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


# Forty are made in every search; a frozen dataclass takes four times as long to make.
class Passage(NamedTuple):
    chunk_id: str
    document_id: str
    title: str
    heading_path: str
    page: int | None
    content: str
    score: float
    similarity: float


class Candidate(NamedTuple):
    """`likenesses`: to each of those before."""

    passage: Passage
    bonus: float
    likenesses: list[float]


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
    found = find_candidates(
        conn,
        organization_id,
        query,
        query_vector,
        embedding_model,
        max(CANDIDATES, 2 * limit),
        tags,
        weights.words,
    )
    scores = [one.passage.score - one.bonus for one in found]
    bonuses = [one.bonus for one in found]
    likenesses = [one.likenesses for one in found]
    order = order_by_votes(scores, bonuses, likenesses, weights.votes_margin)
    pairs = alike(order, bonuses, likenesses)
    if pairs:
        words = words_of(conn, organization_id, found, pairs)
        order = copies_last(order, pairs, lambda pair: is_copy(*(words[place] for place in pair)))
    return [found[place].passage for place in order[:limit]]


def find_candidates(
    conn,
    organization_id: str,
    query: str,
    query_vector: list[float],
    embedding_model: str,
    most: int,
    tags: Sequence[str],
    words_weight: float,
) -> list[Candidate]:
    """Those that fit best each by itself, the best first."""
    values = {
        "organization_id": organization_id,
        "embedding_model": embedding_model,
        "vector": as_text(query_vector),
        "question": searchable(query),
        "tags": list(tags),
        "words_weight": words_weight,
        "candidates": most,
    }
    with conn.cursor() as cursor:
        cursor.execute(FIND_CANDIDATES, values)
        return [
            Candidate(Passage(*shown, score + bonus, similarity), bonus, likenesses)
            for *shown, score, bonus, similarity, likenesses in cursor.fetchall()
        ]


def searchable(question: str) -> str:
    # Postgres takes no NUL and no lone surrogate.
    return re.sub("[\0\ud800-\udfff]", " ", question[:MAX_CHARACTERS])


def as_text(vector: list[float]) -> str:
    """A vector of the same direction as Postgres reads it: whole numbers are written in half the
    time, and these hold more than the 16 bits of an embedding."""
    scale = 1e6 / (sqrt(sum(map(mul, vector, vector))) or 1)
    return str([int(number * scale) for number in vector])


def words_of(
    conn, organization_id: str, found: list[Candidate], pairs: list[Pair]
) -> dict[int, set[str]]:
    """By place, of those in the pairs; none of one that was removed since it was found."""
    places = {found[place].passage.chunk_id: place for pair in pairs for place in pair}
    with conn.cursor() as cursor:
        cursor.execute(FIND_WORDS_OF, [organization_id, list(places)])
        words = {places[chunk_id]: set(words) for chunk_id, words in cursor.fetchall()}
    return {place: words.get(place, set()) for place in places.values()}


def is_copy(one: set[str], other: set[str]) -> bool:
    return bool(one) and len(one & other) >= COPY_WORDS * len(one | other)


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
