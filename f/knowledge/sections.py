"""The parts of a document that every reader hands over: text below its headings."""

from dataclasses import dataclass

# A "heading" longer than this is a paragraph in a large font.
MAX_HEADING_CHARACTERS = 200


@dataclass(frozen=True)
class Section:
    heading_path: list[str]
    page: int | None
    text: str
    # What the text answers, where the document says so; it is the last of the headings too.
    question: str | None = None


class Outline:
    """Collects lines and headings in reading order, and gives each stretch of text its path."""

    def __init__(self):
        self._sections: list[Section] = []
        self._headings: list[tuple[int, str]] = []
        self._lines: list[str] = []

    def heading(self, level: int, text: str) -> None:
        text = " ".join(text.split())
        if not text or len(text) > MAX_HEADING_CHARACTERS:
            return self.line(text)
        self._close(next_level=level)
        self._headings = [h for h in self._headings if h[0] < level] + [(level, text)]

    def line(self, text: str) -> None:
        self._lines.append(text)

    def sections(self) -> list[Section]:
        self._close(next_level=0)
        return self._sections

    def _close(self, next_level: int) -> None:
        text = "\n".join(self._lines).strip()
        self._lines = []
        if not text and self._headings and next_level <= self._headings[-1][0]:
            # Nothing follows this heading, so its own words would be in no section's path.
            text = self._headings[-1][1]
        if text:
            self._sections.append(Section([h[1] for h in self._headings], None, text))
