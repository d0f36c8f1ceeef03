"""Rows of a table as lines that say what their cells are, for a piece of a table has no header."""

import re
from collections.abc import Iterable

from f.knowledge.sections import MAX_HEADING_CHARACTERS, Section, is_question

MAX_HEADER_CHARACTERS = 80
NUMBER = re.compile(r"[\W\d_]*\d[\W\d_]*")
QUESTIONS = re.compile(
    r"(?:customer )?questions?|q|faq|frage|fragen|preguntas?|perguntas?|domand[ae]|vraag|fråga"
    r"|pytanie|soru|вопрос|質問|问题|prompt"
)
ANSWERS = re.compile(
    r"(?:our )?answers?|a|repl(?:y|ie)|responses?|antwort|antworten|respuestas?|respostas?"
    r"|rispost[ae]|réponses?|antwoord|svar|odpowiedź|cevap|yanıt|ответ|回答|答案|completion"
)
Rows = list[list[str]]


def lines(rows: Rows, has_header: bool | None = None) -> list[str]:
    """`has_header` None: told by how the first row looks."""
    rows = tidy(rows)
    if len(rows) < 2 or not (looks_like_header(rows) if has_header is None else has_header):
        return [" | ".join(filter(None, row)) for row in rows]
    header, *body = rows
    return [line(header, row) for row in body]


def line(header: list[str], row: list[str]) -> str:
    named = zip(header, row, strict=True)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)


def tidy(rows: Iterable[list[str]]) -> Rows:
    """Cells of one line, rows of one length, nothing empty around."""
    found = [[" ".join(cell.split()) for cell in row] for row in rows]
    found = [row for row in found if any(row)]
    width = max((place + 1 for row in found for place, cell in enumerate(row) if cell), default=0)
    return [[*row, *[""] * width][:width] for row in found]


def looks_like_header(rows: Rows) -> bool:
    """Short names, all different, none of them a number; and something below."""
    header = rows[0]
    names = [name for name in header if name]
    return (
        len(header) > 1
        and len(names) >= len(header) - 1
        and len(set(names)) == len(names)
        and all(len(name) <= MAX_HEADER_CHARACTERS and not NUMBER.fullmatch(name) for name in names)
        and not any(is_question(name) for name in names)
    )


def sections(name: str, rows: Rows) -> list[Section]:
    """A sheet: a section for each question where it holds questions and answers, else one."""
    rows = tidy(rows)
    path = [name] if name else []
    pair = question_and_answer(rows)
    if pair is None:
        return [Section(path, None, "\n".join(lines(rows)))]
    has_header = looks_like_header(rows)
    header = rows[0] if has_header else [""] * len(rows[0])
    answered = [row for row in rows[has_header:] if row[pair[0]] and row[pair[1]]]
    return [answer(path, header, row, *pair) for row in answered]


def question_and_answer(rows: Rows) -> tuple[int, int] | None:
    """Their columns: by name, or two columns of which the first asks."""
    if not rows or len(rows[0]) < 2:
        return None
    if looks_like_header(rows):
        names = [name.casefold().rstrip("s:?") for name in rows[0]]
        asking = [n for n, name in enumerate(names) if QUESTIONS.fullmatch(name)]
        answering = [n for n, name in enumerate(names) if ANSWERS.fullmatch(name)]
        return (asking[0], answering[0]) if asking and answering else None
    asked = sum(is_question(row[0]) for row in rows)
    return (0, 1) if len(rows[0]) == 2 and asked > 0.6 * len(rows) else None


def answer(path: list[str], header: list[str], row: list[str], asking: int, at: int) -> Section:
    """Other columns (category, link) say more about the answer."""
    others = [n for n in range(len(row)) if n not in (asking, at)]
    rest = line([header[n] for n in others], [row[n] for n in others])
    text = f"{row[at]}\n{rest}".strip()
    question = row[asking]
    if len(question) > MAX_HEADING_CHARACTERS:
        return Section(path, None, f"{question}\n{text}", question)
    return Section([*path, question], None, text, question)
