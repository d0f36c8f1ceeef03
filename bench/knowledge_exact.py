"""Whether the passage that holds a code, a name or a number is found first by it.

200 passages that say the same but for the one thing asked for, beside the sentences of the demo.
The thing is asked for as people do: in small letters, without accents, inside a sentence.
"""

import random

from bench.knowledge_base import KnowledgeBase
from bench.knowledge_corpus import sentences

CASES = 200
ASKED = (
    "{}",
    "what is {}?",
    "do you know anything about {}",
    "hi, i need help with {} please",
    "where can I find {}",
)
SAID = (
    "The order {} was packed in our warehouse and leaves with the next truck.",
    "Please mention {} when you write to us about this matter.",
    "This part of the machine is listed as {} in the catalogue.",
    "Our colleague noted {} on the delivery slip of the parcel.",
)
SYLLABLES = "ba ce di fo gu ha ki lo me nu pa ré sí tó ve xa yo zü ár én".split()
FOLDED = str.maketrans("éíóüá", "eioua")


def measure(connection, model: dict) -> dict:
    chance = random.Random(11)
    cases = [case(chance, number) for number in range(CASES)]
    base = KnowledgeBase(connection, model, "Exact")
    texts = [chance.choice(SAID).format(said) for said, _ in cases]
    documents = base.add([("", text) for text in [*texts, *sentences()[:200]]])
    questions = [chance.choice(ASKED).format(asked) for _, asked in cases]
    vectors = base.vectors(questions)
    missed = [
        question
        for question, vector, document in zip(questions, vectors, documents, strict=False)
        if base.search(question, vector, 1)[0].document_id != document
    ]
    return {"cases": CASES, "found_first": CASES - len(missed), "missed": missed}


def case(chance: random.Random, number: int) -> tuple[str, str]:
    """As it is written in the document, and as somebody types it."""
    letters = "".join(chance.choices("ABCDEFGHKLMNPRSTUVWXYZ", k=3))
    digits = chance.randrange(1000, 9999)
    name = f"{word(chance)} {word(chance)}"
    said = [
        f"{letters}-{digits}",
        f"{letters[0]}{digits}/{number}",
        f"{digits}{number:03d}",
        f"+34 {chance.randrange(600, 699)} {digits // 10} {number:03d}",
        name,
        f"{chance.randrange(1, 9)},{number:03d}.{chance.randrange(10, 99)}",
        f"v{number}.{chance.randrange(20)}.{chance.randrange(20)}",
        f"{word(chance).translate(FOLDED).lower()}{number}@example.com",
    ][number % 8]
    asked = chance.choice([said, said.lower(), said.translate(FOLDED)])
    return said, asked


def word(chance: random.Random) -> str:
    return "".join(chance.choices(SYLLABLES, k=3)).capitalize()
