"""Find the passages of an organization's documents that answer a question.

Every chunk of the organization is compared, so a small organization beside a large one misses
nothing, as it would with an index over everybody's vectors. Meaning (vectors) and words (full
text) each make a list; the weights favour meaning, because with equal ones the answer comes
first less often than by meaning alone. A code in the question (E03, SP-133) means exactly
itself: passages that hold it come before all others.
"""

import re
from dataclasses import dataclass

# What a place in the list by words counts against one in the list by meaning; measured on
# db/demo/questions.yaml (tests/knowledge/test_search_quality.py).
TEXT_WEIGHT = 0.1
# How much the first places of a list differ: the constant of reciprocal rank fusion's authors.
RANK_CONSTANT = 60.0
CANDIDATES = 50
# By embedding model: below this cosine similarity, a passage without a code from the question is
# most likely about something else. Measured there too; models that are not listed were not.
RELEVANT_SIMILARITY = {"minilm-l6-v2": 0.3, "hashing-384": 0.2}

MAX_WORDS = 64
MAX_WORD_CHARACTERS = 100
WORD_EDGES = "\"'.,;:!?()[]{}<>’“”„«»*_`"
CODE = re.compile(r"(?=.*\d)(?=.*[^\W\d_])[\w./-]+|\d{4,}")

SEARCH = """
with asked as materialized (
  select %(vector)s::vector as vector,
         websearch_to_tsquery('english', %(words)s) as words,
         websearch_to_tsquery('simple', %(codes)s) as codes
), searched as materialized (
  select id
    from documents
   where organization_id = %(organization_id)s
     and is_active
     and embedding_model = %(embedding_model)s
     and embedding_dimensions = %(dimensions)s
), by_meaning as materialized (
  select chunks.id, chunks.embedding <=> asked.vector as distance
    from asked, chunks
   where organization_id = %(organization_id)s
     and document_id in (select id from searched)
   order by distance, id
   limit %(candidates)s
), by_words as materialized (
  select chunks.id,
         chunks.search_vector @@ asked.codes as holds_code,
         ts_rank_cd(chunks.search_vector, asked.words) as text_rank
    from asked, chunks
   where organization_id = %(organization_id)s
     and document_id in (select id from searched)
     and search_vector @@ (asked.words || asked.codes)
   order by holds_code desc, text_rank desc
   -- Many passages hold the same words: cut among equals, the list would change with every copy.
   fetch first %(candidates)s rows with ties
), votes as (
  select id, 1 / (%(rank_constant)s + rank() over (order by distance)) as score
    from by_meaning
  union all
  select id, %(text_weight)s / (%(rank_constant)s + rank() over (order by text_rank desc))
    from by_words
  union all
  select id, 1 from by_words where holds_code
), best as (
  select id, sum(score) as score from votes group by id order by score desc, id limit %(limit)s
)
select chunks.id::text, documents.id::text, documents.title, chunks.heading_path, chunks.page,
       chunks.content, best.score::float8,
       -- A vector of zeros (an embedder found no known word) is near nothing.
       coalesce(1 - nullif(chunks.embedding <=> asked.vector, 'NaN'), 0)
  from best
  join chunks on chunks.organization_id = %(organization_id)s and chunks.id = best.id
  join documents on documents.organization_id = %(organization_id)s
                and documents.id = chunks.document_id
 cross join asked
 order by best.score desc, best.id
"""


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


def search(
    conn,
    organization_id: str,
    query: str,
    query_vector: list[float],
    embedding_model: str,
    limit: int = 5,
) -> list[Passage]:
    """The best first. `score` orders passages of one search; `similarity` compares searches."""
    words = query_words(query)
    values = {
        "organization_id": organization_id,
        "vector": str(list(query_vector)),
        "words": any_of(words),
        "codes": any_of([word for word in words if CODE.fullmatch(word)]),
        "embedding_model": embedding_model,
        "dimensions": len(query_vector),
        "text_weight": TEXT_WEIGHT,
        "rank_constant": RANK_CONSTANT,
        "candidates": CANDIDATES,
        "limit": limit,
    }
    with conn.cursor() as cursor:
        cursor.execute(SEARCH, values)
        return [Passage(*row) for row in cursor.fetchall()]


def query_words(query: str) -> list[str]:
    # Postgres takes no NUL and no lone surrogate; a quote would end the quotes of `any_of`.
    text = re.sub('[\0"\ud800-\udfff]', " ", query)
    words = (word.strip(WORD_EDGES) for word in text.split())
    usable = [word for word in dict.fromkeys(words) if 0 < len(word) <= MAX_WORD_CHARACTERS]
    return usable[:MAX_WORDS]


def any_of(words: list[str]) -> str:
    """In the search syntax that never fails; in quotes, no word is an operator."""
    return " or ".join(f'"{word}"' for word in words)
