"""PDF to one section a page, or the reason why it cannot be read."""

import logging
import statistics
import zlib
from io import BytesIO

from pypdf import PasswordType, PdfReader  # pin: pypdf==7.1.0
from pypdf.errors import DependencyError, DeprecationError, LimitReachedError, PyPdfError

from f.knowledge.refusals import refused
from f.knowledge.sections import Section

MAX_PAGES = 2000
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
    return [Section([], number, text) for number, text in enumerate(texts, 1) if text]


def read_page(page) -> str:
    text = page.extract_text().strip()
    if not looks_tabular(text):
        return text
    rows = page.extract_text(extraction_mode="layout").splitlines()
    return "\n".join(" | ".join(cells(row)) for row in rows if row.strip()) or text


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
