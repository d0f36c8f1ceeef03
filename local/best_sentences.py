"""The one to three sentences that answer a question best, out of what a tool found.

First the section whose heading and beginning are closest to the question, then neighbours in it:
the closest sentences from everywhere would be closer, and make no sense together.
"""

import re
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from local.sentences import Sentence, sentences_of

LONGEST_ANSWER = 500
MOST_SENTENCES = 3
MOST_SECTIONS = 12
SECTION_BEGINNING = 240

# Below this the best section is about something else; measured per embedder on db/demo.
LEAST_SCORES = {"minilm-l6-v2": 0.36, "hashing-384": 0.26}
# The tool puts what it thinks best first, and it has seen whole passages.
FOR_PASSAGES = (0.12, 0.06, 0.03, 0.0)
MOST_PASSAGES = len(FOR_PASSAGES)
FOR_LEADING_SENTENCE = 0.1
FOR_SAME_CODE = 0.15

NEXT_QUESTION = re.compile(
    r"\?\s+|,?\s+(?:and|or)\s+(?=(?:who|what|when|where|which|how|can|do|does|is|are|will)\b)", re.I
)
# From the word's beginning only: tried at every letter, one long word would take minutes.
CODE = re.compile(r"\b(?=\w*\d)(?=\w*[^\W\d])\w+")


@dataclass(frozen=True)
class Section:
    passage: int
    heading: str
    sentences: list[Sentence]

    @property
    def beginning(self) -> str:
        text = " ".join(sentence.text for sentence in self.sentences)
        return f"{self.heading}\n{text[:SECTION_BEGINNING]}"


def best_sentences(embedder, question: str, answers: list[str]) -> str | None:
    """In the order in which they were written; None when none is close enough."""
    sections = sections_of(answers)
    questions = questions_in(question)
    found: dict[Sentence, None] = {}
    for part in questions:
        section = best_section(embedder, part, sections)
        if section:
            most = max(1, MOST_SENTENCES // len(questions))
            found |= dict.fromkeys(best_in_section(embedder, part, section, most))
    return joined(list(found)) or None


def sections_of(answers: list[str]) -> list[Section]:
    sentences = [one for one in sentences_of(answers) if one.passage < MOST_PASSAGES]
    grouped = groupby(sentences, key=lambda one: (one.passage, one.heading))
    return [Section(*key, list(group)) for key, group in grouped][:MOST_SECTIONS]


def questions_in(question: str) -> list[str]:
    """Two questions in one message are looked up one by one."""
    parts = [part.strip() for part in NEXT_QUESTION.split(question)]
    parts = [part for part in parts if len(part.split()) > 2]
    return parts[:MOST_SENTENCES] or [question]


def best_section(embedder, question: str, sections: list[Section]) -> Section | None:
    if not sections:
        return None
    beginnings = [section.beginning for section in sections]
    scores = closeness(embedder, question, beginnings)
    if scores.max() < LEAST_SCORES[embedder.name]:
        return None
    return sections[int((scores + [FOR_PASSAGES[one.passage] for one in sections]).argmax())]


def closeness(embedder, question: str, texts: list[str]) -> np.ndarray:
    """Cosine similarity, and more for a text that names the code (E03, SP-133) that was asked."""
    asked, *vectors = embedder.embed([question, *texts])
    codes = [code.lower() for code in CODE.findall(question)]
    names_code = [any(code in text.lower() for code in codes) for text in texts]
    return np.stack(vectors) @ asked + FOR_SAME_CODE * np.array(names_code)


def best_in_section(embedder, question: str, section: Section, most: int) -> list[Sentence]:
    """The run of neighbours that is closest altogether: they were written to be read together."""
    sentences = section.sentences
    scores = closeness(embedder, question, [one.text for one in sentences])
    scores[0] += FOR_LEADING_SENTENCE
    runs = [
        slice(start, end)
        for start in range(len(sentences))
        for end in range(start + 1, min(start + most, len(sentences)) + 1)
        if end == start + 1 or not too_long(sentences[start:end])
    ]
    return sentences[max(runs, key=lambda run: scores[run].sum())]


def too_long(sentences: list[Sentence]) -> bool:
    return len(joined(sentences)) > LONGEST_ANSWER


def joined(sentences: list[Sentence]) -> str:
    return " ".join(ended(sentence.text) for sentence in sentences)


def ended(text: str) -> str:
    """A list item and a table's row have no full stop of their own."""
    return text if re.search(r"[.!?…。！？:][\"')\]]*$", text) else f"{text.rstrip(',;')}."
