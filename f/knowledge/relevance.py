"""Whether a search found anything to answer from."""

from f.knowledge.question_words import FOR_CODE
from f.knowledge.search import WEIGHTS, Passage

# Below this cosine similarity, a passage without a code from the question is most likely about
# something else. Models that are not listed were not measured: they are trusted to tell themselves.
RELEVANT_SIMILARITY = {"minilm-l6-v2": 0.3, "hashing-384": 0.2}
# Of what the words of a question weigh, when nothing could be compared by meaning.
RELEVANT_WORDS = 0.5


def is_relevant(passages: list[Passage], embedding_model: str) -> bool:
    if not any(one.similarity for one in passages):
        return any(one.score >= RELEVANT_WORDS * WEIGHTS.words for one in passages)
    least = RELEVANT_SIMILARITY.get(embedding_model, -1.0)
    return any(one.similarity >= least or one.score >= FOR_CODE for one in passages)
