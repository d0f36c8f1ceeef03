"""Find the passages of an organization's documents that answer a question.

Every chunk of the organization is compared, so a small organization beside a large one misses
nothing, as it would with an index over everybody's vectors: first by codes of three bits a
dimension, then the nearest few by their whole vectors. Words add to meaning as far as they tell
chunks apart (question_words). What fits best comes first; the places after it go to passages that
others confirm: several answers to one question are alike, and what fits by chance stands alone.
"""

from dataclasses import dataclass

from f.knowledge.embeddings import of_unit_length
from f.knowledge.question_words import find_words

# All of these were chosen on one half of a benchmark and checked on the other: bench/knowledge.py.
WORDS_WEIGHT = 0.15
CANDIDATES = 40
# Of 100,000 chunks, the ten nearest by vectors are nearly always among these nearest by codes.
SHORTLIST = 400
# More alike than this, two passages say the same: the second one only makes room for none.
SAME_LIKENESS = 0.995
FIND_DOCUMENTS = """
select array_agg(id::text)
  from documents
 where organization_id = %(organization_id)s
   and is_active
   and (%(source_ids)s::uuid[] is null or source_id = any (%(source_ids)s::uuid[]))
   and (%(language)s::text is null or language = %(language)s)
   and tags @> %(tags)s::text[]
"""

SEARCH = """
with asked as materialized (
  select %(vector)s::vector as vector,
         (select id from chunk_sets
           where organization_id = %(organization_id)s
             and embedding_model = %(embedding_model)s
             and embedding_dimensions = %(dimensions)s
             and state = 'searched') as chunk_set_id
), shortlist as materialized (
  select chunk_id
    from embeddings
   where organization_id = %(organization_id)s
     and chunk_set_id = (select chunk_set_id from asked)
     and is_searched
     {filter}
   order by code <~> (select code_of(vector) from asked)
   limit %(shortlist)s
), near as materialized (
  select embeddings.chunk_id, embeddings.embedding,
         -(embeddings.embedding <#> (select vector from asked)) as similarity
    from shortlist
    join embeddings on embeddings.organization_id = %(organization_id)s
                   and embeddings.chunk_id = shortlist.chunk_id
                   and embeddings.chunk_set_id = (select chunk_set_id from asked)
   order by similarity desc, chunk_id
   limit %(candidates)s
), candidates as materialized (
  select chunk_id, embedding, similarity from near
  union all
  select chunk_id, embedding, -(embedding <#> (select vector from asked))
    from embeddings
   where organization_id = %(organization_id)s
     and chunk_id = any (%(chunk_ids)s::uuid[])
     and chunk_set_id = (select chunk_set_id from asked)
     and is_searched
     {filter}
     and chunk_id not in (select chunk_id from near)
), held as (
  select candidates.chunk_id, asked.place, max(asked.weight) as weight, sum(asked.bonus) as bonus
    from candidates
    join chunks on chunks.organization_id = %(organization_id)s and chunks.id = candidates.chunk_id
    join unnest(%(places)s::integer[], %(forms)s::text[], %(weights)s::float8[],
                %(bonuses)s::float8[]) as asked (place, form, weight, bonus)
      on asked.form = any (chunks.words)
   group by candidates.chunk_id, asked.place
), worded as (
  select chunk_id, sum(weight) as coverage, sum(bonus) as bonus from held group by chunk_id
), rated as materialized (
  select *, row_number() over (order by score + bonus desc, chunk_id) as place
    from (select candidates.*, coalesce(worded.bonus, 0) as bonus,
                 similarity + %(words_weight)s * coalesce(worded.coverage, 0) as score
            from candidates left join worded using (chunk_id)) as compared
   order by place
   limit %(candidates)s
), pairs as materialized (
  select one.place, other.place as other_place, one.score, other.score as other_score,
         -(one.embedding <#> other.embedding) as likeness
    from rated as one join rated as other on one.place < other.place
), usual as materialized (
  select coalesce(avg(likeness) + stddev_pop(likeness) / 2, 1) as likeness from pairs
), confirmed as (
  -- What is hardly more alike than any two of these passages confirms nothing.
  select place, sum(score * weight * weight) / nullif(sum(weight * weight), 0) as score
    from (select place, other_score as score, pairs.likeness - usual.likeness as weight
            from pairs join usual on pairs.likeness > usual.likeness
          union all
          select other_place, score, pairs.likeness - usual.likeness
            from pairs join usual on pairs.likeness > usual.likeness
          union all
          select place, score, 1 - usual.likeness from rated cross join usual) as votes
   group by place
), best as materialized (
  select rated.chunk_id, similarity, bonus, rated.score, rated.place,
         row_number() over (order by (rated.place = 1)::integer desc,
                            bonus + coalesce(confirmed.score, rated.score) desc, rated.place
                           ) as new_place
    from rated left join confirmed using (place)
), copies as materialized (
  select place, other_place from pairs where likeness >= %(same_likeness)s
), repeated as (
  select distinct greatest(one.new_place, other.new_place) as new_place
    from copies
    join best as one on one.place = copies.place
    join best as other on other.place = copies.other_place
   -- A copy that holds a code of the question, which the other lacks, is no copy.
   where one.bonus = other.bonus
), shown as materialized (
  select best.*, repeated.new_place is not null as is_repeated
    from best left join repeated using (new_place)
   order by is_repeated, new_place
   limit %(limit)s
)
select chunks.id::text, documents.id::text, documents.title, chunks.heading_path, chunks.page,
       chunks.content, shown.score + shown.bonus, shown.similarity
  from shown
  join chunks on chunks.organization_id = %(organization_id)s and chunks.id = shown.chunk_id
  join documents on documents.organization_id = %(organization_id)s
                and documents.id = chunks.document_id
 order by shown.is_repeated, shown.new_place
"""
IN_DOCUMENTS = "and document_id = any (%(documents)s::uuid[])"


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
) -> list[Passage]:
    """The best first; none when another embedding model is searched. `score` orders passages of
    one search; `similarity` compares searches."""
    values = {
        "organization_id": organization_id,
        "embedding_model": embedding_model,
        "dimensions": len(query_vector),
        "vector": str(of_unit_length(query_vector)),
    }
    with conn.cursor() as cursor:
        if only:
            cursor.execute(FIND_DOCUMENTS, {**values, **vars(only), "tags": list(only.tags)})
            values["documents"] = cursor.fetchone()[0] or []
        candidates = max(CANDIDATES, 2 * limit)
        words = find_words(cursor, organization_id, query, candidates)
        cursor.execute(
            SEARCH.format(filter=IN_DOCUMENTS if only else ""),
            {**values, **settings(candidates, limit), **vars(words)},
        )
        return [Passage(*row) for row in cursor.fetchall()]


def settings(candidates: int, limit: int) -> dict:
    return {
        "shortlist": max(SHORTLIST, 4 * candidates),
        "candidates": candidates,
        "words_weight": WORDS_WEIGHT,
        "same_likeness": SAME_LIKENESS,
        "limit": limit,
    }
