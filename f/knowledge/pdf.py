"""PDF to one section a page, or the reason why it cannot be read."""

import itertools
import logging
import re
import statistics
import zlib
from collections import Counter
from collections.abc import Iterator
from io import BytesIO

from pypdf import PasswordType, PdfReader  # pin: pypdf==7.1.0
from pypdf.errors import DependencyError, DeprecationError, LimitReachedError, PyPdfError

import f.knowledge.tables as tables
from f.knowledge.refusals import refused
from f.knowledge.sections import Outline, Section

MAX_PAGES = 2000
NUMBERS = re.compile(r"\d+")
# A word parted at the end of a line would be found by neither of its halves.
BROKEN_WORD = re.compile(r"(?<=[^\W\d_])-\n(?=[a-z\u00df-\u00ff])")
# What pypdf lets through on damaged files, found by tests/knowledge/test_hostile_files.py.
DAMAGE = (
    PyPdfError,
    DeprecationError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    zlib.error,
)

# pypdf remarks on every oddity of every file; the job's log is for decisions.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def read(content: bytes) -> tuple[str, list[Section]]:
    try:
        reader = PdfReader(BytesIO(content))
        if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            raise refused("document_encrypted")
        return read_title(reader), read_pages(reader)
    except (LimitReachedError, RecursionError) as exc:
        raise refused("document_too_complex") from exc
    except (DependencyError, NotImplementedError) as exc:
        raise refused("document_encrypted") from exc
    except DAMAGE as exc:
        raise refused("document_broken") from exc


def read_title(reader: PdfReader) -> str:
    return str(reader.metadata.title or "") if reader.metadata else ""


def read_pages(reader: PdfReader) -> list[Section]:
    if len(reader.pages) > MAX_PAGES:
        raise refused("document_too_large")
    texts = [read_page(page) for page in reader.pages]
    if not any(texts):
        raise refused(
            "document_scanned" if any(map(has_picture, reader.pages)) else "document_empty"
        )
    paths = bookmarks(reader)
    sections = []
    for number, text in enumerate(without_running_lines(texts), 1):
        outline = Outline(tuple(paths.get(number, ())), number)
        for line in BROKEN_WORD.sub("", text).split("\n"):
            outline.line(line)
        sections += outline.sections()
    return sections


def without_running_lines(texts: list[str]) -> list[str]:
    """Headers and footers, which differ by the page's number only, stand between every two pages
    of a text."""
    edges = Counter(running for text in texts for running in set(map(numberless, edge(text))))
    often = {line for line, count in edges.items() if count >= max(3, 0.6 * len(texts))}

    def kept(text: str) -> str:
        lines = text.splitlines()
        last = len(lines) - 1
        return "\n".join(
            line
            for place, line in enumerate(lines)
            if place not in (0, last) or numberless(line) not in often
        )

    # When nothing else is on the pages, it is their text.
    return [kept(text) for text in texts] if any(map(kept, texts)) else texts


def edge(text: str) -> list[str]:
    lines = text.splitlines()
    return [lines[0], lines[-1]] if lines else []


def numberless(line: str) -> str:
    return " ".join(NUMBERS.sub("#", line).split())


def bookmarks(reader: PdfReader) -> dict[int, list[str]]:
    """The titles above each page: of its first bookmark, or of the last one before it."""
    starts: dict[int, list[str]] = {}

    def walk(entries: list, path: list[str]) -> None:
        title = path
        for entry in entries:
            if isinstance(entry, list):
                walk(entry, title)
            else:
                title = [*path, " ".join(str(entry.title or "").split())]
                number = reader.get_destination_page_number(entry)
                if number is not None and number >= 0:
                    starts.setdefault(number + 1, title)

    walk(reader.outline, [])
    paths, latest = {}, []
    for number in range(1, len(reader.pages) + 1):
        latest = paths[number] = starts.get(number, latest)
    return paths


def read_page(page) -> str:
    text = page.extract_text().strip()
    if not looks_tabular(text):
        return text
    rows = [cells(row) for row in page.extract_text(extraction_mode="layout").splitlines()]
    return "\n".join(line for part in same_width(rows) for line in tables.lines(part)) or text


def same_width(rows: list[list[str]]) -> Iterator[list[list[str]]]:
    """A table's rows have as many cells as its header; a title above has one."""
    return (list(part) for _, part in itertools.groupby(filter(None, rows), key=len))


def looks_tabular(text: str) -> bool:
    """Read in its usual order, a table comes out as one short line for each cell."""
    lengths = [len(line) for line in text.splitlines()]
    return len(lengths) >= 8 and statistics.median(lengths) < 20


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.split("   ") if cell.strip()]


def has_picture(page) -> bool:
    return len(page.images) > 0


def warm_up() -> None:
    """pypdf imports parts of itself when they are first needed, which would be too late."""
    content = b"BT /F 1 Tf (x) Tj ET"
    stream = b"<< /Length %d >> stream\n%s\nendstream" % (len(content), content)
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources "
        b"<< /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        stream,
    ]
    body = b"".join(b"%d 0 obj %s endobj\n" % one for one in enumerate(parts, 1))
    reader = PdfReader(
        BytesIO(b"%PDF-1.4\n" + body + b"trailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF")
    )
    reader.pages[0].extract_text()
    reader.pages[0].extract_text(extraction_mode="layout")
    has_picture(reader.pages[0])
