"""Read an uploaded file of any kind we support into sections of clean text.

The file is looked at here only as far as its type and its archive's directory; its reader runs in
a process of its own (sandbox.py).
"""

from dataclasses import dataclass
from pathlib import PurePath

import f.knowledge.csv_table as csv_table
import f.knowledge.file_types as file_types
import f.knowledge.markdown as markdown
import f.knowledge.pdf as pdf
import f.knowledge.plain_text as plain_text
import f.knowledge.sandbox as sandbox
import f.knowledge.spreadsheet as spreadsheet
import f.knowledge.web_page as web_page
import f.knowledge.word_document as word_document
from f.knowledge.plain_text import clean
from f.knowledge.refusals import refused
from f.knowledge.sections import Section

MAX_BYTES = 10 * 1024 * 1024
MAX_TITLE_CHARACTERS = 200

# The readers are imported here so that Windmill installs what they need, and fetches them to disk
# where the child finds them.
READERS = {
    file_types.PDF: pdf,
    file_types.DOCX: word_document,
    file_types.XLSX: spreadsheet,
    file_types.CSV: csv_table,
    file_types.HTML: web_page,
    file_types.MARKDOWN: markdown,
    file_types.TEXT: plain_text,
}


@dataclass(frozen=True)
class Extracted:
    title: str
    media_type: str
    sections: list[Section]


def extract(file_name: str, content: bytes) -> Extracted:
    """Raises InputRefused with a code and a sentence for whoever uploaded the file."""
    media_type = tell(file_name, content)
    found = sandbox.run(READERS[media_type].__name__, content)
    return extracted(file_name, media_type, found)


def tell(file_name: str, content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise refused("document_too_large")
    if not content.strip():
        raise refused("document_empty")
    return file_types.tell(file_name, content)


def extracted(file_name: str, media_type: str, found: dict) -> Extracted:
    sections = [Section(**section) for section in found["sections"]]
    return Extracted(shown_title(found["title"], file_name), media_type, sections)


def shown_title(title: str, file_name: str) -> str:
    name = PurePath(file_name.replace("\\", "/")).stem.replace("-", " ").replace("_", " ")
    words = title.split() or clean(name).split() or ["Document"]
    return " ".join(words)[:MAX_TITLE_CHARACTERS]
