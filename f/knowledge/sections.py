"""The parts of a document that every reader hands over: text below its headings."""

import re
from dataclasses import dataclass

# A "heading" longer than this is a paragraph in a large font.
MAX_HEADING_CHARACTERS = 200
# Below any heading that a format knows: ends with the next question or the next heading.
QUESTION_LEVEL = 10
ASKS = re.compile(r".*[?？؟]\W{0,3}", re.DOTALL)
# "Q: ...", "**Question 3:** ...", and the same in the languages that we meet most.
ASKED = re.compile(
    r"(?:\*\*|__)?(?:Q|Question|Frage|Pregunta|Pergunta|Domanda|Vraag|Вопрос|問)\s?\d*\s?[:.)：]"
    r"(?:\*\*|__)?\s*(\S.*)",
    re.IGNORECASE,
)
ANSWERED = re.compile(
    r"(?:\*\*|__)?(?:A|Answer|Antwort|Respuesta|Resposta|Risposta|Réponse|Antwoord|Ответ|答)"
    r"\s?\d*\s?[:.)：](?:\*\*|__)?\s*",
    re.IGNORECASE,
)
ALL_BOLD = re.compile(r"(\*\*|__)(.+)\1")


@dataclass(frozen=True)
class Section:
    heading_path: list[str]
    page: int | None
    text: str
    # What the text answers, where the document says so; it is the last of the headings too.
    question: str | None = None


def is_question(text: str) -> bool:
    return bool(ASKS.fullmatch(text))


class Outline:
    """Collects lines and headings in reading order, and gives each stretch of text its path."""

    def __init__(self, path: tuple[str, ...] = (), page: int | None = None):
        self._sections: list[Section] = []
        self._page = page
        self._headings: list[tuple[int, str]] = [(0, heading) for heading in path]
        self._lines: list[str] = []

    def heading(self, level: int, text: str) -> None:
        text = " ".join(text.split())
        if not text or len(text) > MAX_HEADING_CHARACTERS:
            return self._lines.append(text)
        self._close(next_level=level)
        self._headings = [h for h in self._headings if h[0] < level] + [(level, text)]

    def question(self, text: str) -> None:
        self.heading(QUESTION_LEVEL, text)

    def end_question(self) -> None:
        self._close(next_level=QUESTION_LEVEL)
        self._headings = [h for h in self._headings if h[0] < QUESTION_LEVEL]

    def line(self, text: str) -> None:
        question = asked(text)
        if question:
            self.question(question)
        elif self._answers() and (mark := ANSWERED.match(text)):
            self._lines.append(text[mark.end() :])
        else:
            self._lines.append(text)

    def sections(self) -> list[Section]:
        self._close(next_level=0)
        return self._sections

    def _answers(self) -> bool:
        return bool(self._headings) and self._headings[-1][0] == QUESTION_LEVEL

    def _close(self, next_level: int) -> None:
        text = "\n".join(self._lines).strip()
        self._lines = []
        path = [heading for _, heading in self._headings]
        if text:
            question = path[-1] if path and is_question(path[-1]) else None
            question = path[-1] if self._answers() else question
            self._sections.append(Section(path, self._page, text, question))
        elif self._headings and 0 < self._headings[-1][0] >= next_level:
            # Nothing follows this heading, so its own words would be in no section's path.
            self._sections.append(Section(path, self._page, path[-1]))


def asked(line: str) -> str | None:
    """The question, when this line is one: marked as one, or all in bold."""
    line = line.strip()
    if len(line) > 2 * MAX_HEADING_CHARACTERS:
        return None
    if found := ASKED.fullmatch(line):
        return found[1].strip("*_ ")
    bold = ALL_BOLD.fullmatch(line)
    return bold[2] if bold and is_question(bold[2]) else None
