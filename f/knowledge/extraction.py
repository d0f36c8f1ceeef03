"""Read an uploaded file of any kind we support into sections of clean text.

Readers run in this process, with limits on sizes only: a file that takes a parser long keeps
its step busy until the step's timeout. A child process with limits on time and memory is
still to come.
"""

from dataclasses import dataclass
from pathlib import PurePath

import f.knowledge.file_types as file_types
import f.knowledge.markdown as markdown
import f.knowledge.pdf as pdf
import f.knowledge.plain_text as plain_text
import f.knowledge.web_page as web_page
import f.knowledge.word_document as word_document
from f.knowledge.plain_text import clean
from f.knowledge.refusals import refused
from f.knowledge.sections import Section

MAX_BYTES = 10 * 1024 * 1024
MAX_CHARACTERS = 10 * 1024 * 1024
MAX_TITLE_CHARACTERS = 200


@dataclass(frozen=True)
class Extracted:
    title: str
    media_type: str
    sections: list[Section]


def extract(file_name: str, content: bytes) -> Extracted:
    """Raises InputRefused with a code and a sentence for whoever uploaded the file."""
    if len(content) > MAX_BYTES:
        raise refused("document_too_large")
    if not content.strip():
        raise refused("document_empty")
    media_type = file_types.tell(file_name, content)
    title, sections = READERS[media_type](content)
    sections = [cleaned for section in sections if (cleaned := clean_section(section)).text]
    if not sections:
        raise refused("document_empty")
    if sum(len(section.text) for section in sections) > MAX_CHARACTERS:
        raise refused("document_too_large")
    return Extracted(shown_title(title, file_name), media_type, sections)


def read_plain_text(content: bytes) -> tuple[str, list[Section]]:
    return "", [Section([], None, plain_text.decode(content))]


def read_markdown(content: bytes) -> tuple[str, list[Section]]:
    return markdown.read(clean(plain_text.decode(content)))


READERS = {
    file_types.PDF: pdf.read,
    file_types.DOCX: word_document.read,
    file_types.HTML: web_page.read,
    file_types.MARKDOWN: read_markdown,
    file_types.TEXT: read_plain_text,
}


def clean_section(section: Section) -> Section:
    path = [clean(heading) for heading in section.heading_path]
    return Section(path, section.page, clean(section.text).strip())


def shown_title(title: str, file_name: str) -> str:
    name = PurePath(file_name.replace("\\", "/")).stem.replace("-", " ").replace("_", " ")
    words = clean(title).split() or clean(name).split() or ["Document"]
    return " ".join(words)[:MAX_TITLE_CHARACTERS]
