"""Whether a search found anything to answer from."""

from collections.abc import Sequence
from dataclasses import dataclass

from f.knowledge.search import FOR_CODE, WEIGHTS, Passage, search
from f.knowledge.unknown_codes import codes_in_no_document, names_another

# How many passages an agent reads.
PASSAGES = 5
# Below this cosine similarity, a passage without a code from the question is most likely about
# something else. Models that are not listed were not measured: they are trusted to tell themselves.
RELEVANT_SIMILARITY = {"minilm-l6-v2": 0.3, "hashing-384": 0.2}
# Rows of a table of codes are this alike to a question about one that is not in it.
RELEVANT_FOR_ANOTHER_CODE = {"minilm-l6-v2": 0.65, "hashing-384": 0.65}
# Of what the words of a question weigh, when nothing could be compared by meaning.
RELEVANT_WORDS = 0.5


@dataclass(frozen=True)
class Found:
    """`passages`: none when even the best is about something else; `unknown_codes`: those of the
    question that stand in no document."""

    passages: list[Passage]
    unknown_codes: list[str]


def find(
    conn,
    organization_id: str,
    question: str,
    query_vector: list[float],
    embedding_model: str,
    limit: int = PASSAGES,
    tags: Sequence[str] = (),
) -> Found:
    """`tags`: only in sources that have one of them; none: in all."""
    passages = search(conn, organization_id, question, query_vector, embedding_model, limit, tags)
    unknown = codes_in_no_document(conn, organization_id, question, tags)
    is_found = is_relevant(passages[:PASSAGES], embedding_model, unknown)
    return Found(passages if is_found else [], unknown)


def is_relevant(passages: list[Passage], embedding_model: str, unknown_codes: list[str]) -> bool:
    """`unknown_codes`: those of the question that stand in no document."""
    is_another = any(names_another(passages[0], code) for code in unknown_codes if passages)
    if not any(one.similarity for one in passages):
        least = RELEVANT_WORDS * WEIGHTS.words
        return not is_another and any(one.score >= least for one in passages)
    bars = RELEVANT_FOR_ANOTHER_CODE if is_another else RELEVANT_SIMILARITY
    least = bars.get(embedding_model, -1.0)
    return any(one.similarity >= least or one.score >= FOR_CODE for one in passages)
