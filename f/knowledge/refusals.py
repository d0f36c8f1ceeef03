"""Why a document is refused, and what its uploader can do about it."""

from f.shared.errors import InputRefused

SENTENCES = {
    "document_too_large": "The document is too large: split it into smaller files "
    "(at most 10 MB, 2,000 pages and 30,000 passages each), and upload those.",
    "document_empty": "There is no text in this file: check that it is the right one, "
    "and upload the file that holds the text.",
    "document_scanned": "This PDF holds only pictures of its pages: run text recognition (OCR) "
    "on it, or upload the document that it was printed from.",
    "document_encrypted": "The file is protected with a password: save a copy without one, "
    "and upload the copy.",
    "document_broken": "The file is damaged or incomplete: open it, save it again, "
    "and upload the new copy.",
    "document_too_complex": "The file grows far beyond its text when it is read: "
    "split it, or copy its text into a new document, and upload that.",
    "document_too_slow": "The file takes too long to read: split it, or copy its text into a new "
    "document, and upload that.",
    "document_type_unknown": "This kind of file cannot be read: save it as PDF, DOCX, XLSX, CSV, "
    "HTML, Markdown or plain text, and upload that.",
    "document_type_mismatch": "The file is not what its name says: save it in the format "
    "of its name ending, or give it the right ending.",
    "document_encoding_unknown": "The characters of this text cannot be told for certain: "
    "save it with the encoding UTF-8, and upload it again.",
    "sources_full": "The plan has no room for another source: remove one, "
    "or ask for a larger plan.",
    "source_bytes_full": "The plan has no room for so much: remove a large source, "
    "or ask for a larger plan.",
    "chunks_full": "The plan has no room for so much text: remove a source, split this one, "
    "or ask for a larger plan.",
    "sitemap_broken": "There is no sitemap with pages of its own site at this address: give the "
    "address of one, in XML or with one address a line.",
    "url_robots_forbidden": "The website's robots.txt forbids programs to read this page: "
    'allow "chatmill" there, or save the page as a file, and upload that.',
}


def refused(code: str) -> InputRefused:
    return InputRefused(code, SENTENCES[code])
