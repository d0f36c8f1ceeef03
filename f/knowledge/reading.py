"""What every reader's sections go through: cleaned once, counted, and handed over as plain JSON."""

from f.knowledge.plain_text import clean
from f.knowledge.refusals import refused
from f.knowledge.sections import Section

MAX_CHARACTERS = 10 * 1024 * 1024
OUT_OF_MEMORY = 3


def read(reader, content: bytes) -> dict:
    """`{"title", "sections"}`; `reader` is a module with `read`. Raises InputRefused."""
    title, sections = reader.read(content)
    return {"title": clean(title), "sections": [vars(one) for one in clean_sections(sections)]}


def clean_sections(sections: list[Section]) -> list[Section]:
    cleaned = [clean_section(section) for section in sections]
    found = [section for section in cleaned if is_visible(section.text)]
    if not found:
        raise refused("document_empty")
    if sum(len(section.text) for section in found) > MAX_CHARACTERS:
        raise refused("document_too_large")
    return found


def clean_section(section: Section) -> Section:
    path = [clean(heading) for heading in section.heading_path]
    question = clean(section.question).strip() if section.question else None
    return Section(path, section.page, clean(section.text).strip(), question)


def is_visible(text: str) -> bool:
    """Scans often carry a text layer of nothing but spaces and invisible marks."""
    return any(character.isprintable() and not character.isspace() for character in text)
