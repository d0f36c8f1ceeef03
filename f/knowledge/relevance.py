"""Whether a search found anything to answer from."""

from f.knowledge.question_words import FOR_CODE
from f.knowledge.search import WEIGHTS, Passage
from f.knowledge.unknown_codes import names_another

# Below this cosine similarity, a passage without a code from the question is most likely about
# something else. Models that are not listed were not measured: they are trusted to tell themselves.
RELEVANT_SIMILARITY = {"minilm-l6-v2": 0.3, "hashing-384": 0.2}
# Rows of a table of codes are this alike to a question about one that is not in it.
RELEVANT_FOR_ANOTHER_CODE = {"minilm-l6-v2": 0.65, "hashing-384": 0.65}
# Of what the words of a question weigh, when nothing could be compared by meaning.
RELEVANT_WORDS = 0.5


def is_relevant(
    passages: list[Passage], embedding_model: str, unknown_codes: list[str] | None = None
) -> bool:
    """`unknown_codes`: those of the question that stand in no document."""
    is_another = any(names_another(passages[0], code) for code in unknown_codes or () if passages)
    if not any(one.similarity for one in passages):
        least = RELEVANT_WORDS * WEIGHTS.words
        return not is_another and any(one.score >= least for one in passages)
    bars = RELEVANT_FOR_ANOTHER_CODE if is_another else RELEVANT_SIMILARITY
    least = bars.get(embedding_model, -1.0)
    return any(one.similarity >= least or one.score >= FOR_CODE for one in passages)
