"""The embedders: what they give is what the model's authors' code would give, on every machine."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest

from local.embedder import RememberingEmbedder
from local.hashing_embedder import HashingEmbedder
from local.minilm import MiniLM, model_folder

# From a forward pass in double precision with math.erf; torch gives the same to 2e-7.
GOLDEN = [-0.052832, 0.040105, -0.025778, -0.003097, -0.027246, -0.003392, 0.056693, -0.044736]
QUESTION = "Can I get my money back?"
RELATED = "Items can be returned within 30 days for a full refund."
HASHED_PLACES = [128, 139, 165, 198, 213]
UNRELATED = "Our roastery is open on Sundays."


@pytest.fixture(scope="module")
def minilm():
    if model_folder() is None:
        pytest.skip("the model's weights are not installed")
    return MiniLM(model_folder())


def test_minilm_gives_the_vector_that_its_authors_code_gives(minilm):
    [vector] = minilm.embed([QUESTION])

    assert vector.shape == (384,)
    assert np.allclose(vector[:8], GOLDEN, atol=1e-5)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_text_has_the_same_vector_alone_and_among_longer_ones(minilm):
    [alone] = minilm.embed([QUESTION])
    together = minilm.embed([RELATED * 20, QUESTION, UNRELATED])

    assert np.allclose(alone, together[1], atol=1e-5)


def test_minilm_finds_meaning_without_a_common_word(minilm):
    question, related, unrelated = minilm.embed([QUESTION, RELATED, UNRELATED])

    assert question @ related > question @ unrelated + 0.2


@pytest.mark.parametrize("text", ["", "   ", "?", "日本語", "a" * 100_000])
def test_minilm_embeds_any_text(minilm, text):
    [vector] = minilm.embed([text])

    assert np.isfinite(vector).all()


def test_the_hashing_embedder_gives_the_same_vector_on_every_machine():
    [vector] = HashingEmbedder().embed(["refund"])

    assert vector.nonzero()[0].tolist()[:5] == HASHED_PLACES
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_the_hashing_embedder_brings_texts_with_common_words_together():
    embedder = HashingEmbedder()

    question, related, unrelated = embedder.embed(["refund time", "the refunds", UNRELATED])

    assert question @ related > question @ unrelated


def test_a_remembered_text_is_not_computed_again():
    computed: list[str] = []

    class Counting(HashingEmbedder):
        def embed(self, texts):
            computed.extend(texts)
            return super().embed(texts)

    embedder = RememberingEmbedder(Counting())
    embedder.embed([QUESTION, QUESTION])
    embedder.embed([QUESTION, RELATED])

    assert computed == [QUESTION, RELATED]


def test_a_question_does_not_wait_for_a_document():
    document_is_begun, question_is_answered = Event(), Event()

    class Slow(HashingEmbedder):
        def embed(self, texts):
            if texts == ["a document"]:
                document_is_begun.set()
                assert question_is_answered.wait(10)
            return super().embed(texts)

    embedder = RememberingEmbedder(Slow())
    with ThreadPoolExecutor(1) as pool:
        document = pool.submit(embedder.embed, ["a document"])
        document_is_begun.wait(10)
        embedder.embed(["a question"])
        question_is_answered.set()

        assert len(document.result(10)) == 1
