"""What a file is: told by its bytes; a name that claims otherwise is refused."""

import re
import zipfile
from io import BytesIO
from pathlib import PurePath

from f.knowledge.refusals import refused

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
HTML = "text/html"
MARKDOWN = "text/markdown"
TEXT = "text/plain"

CLAIMS = {
    ".pdf": PDF,
    ".docx": DOCX,
    ".xlsx": XLSX,
    ".csv": CSV,
    ".tsv": CSV,
    ".htm": HTML,
    ".html": HTML,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
}
BINARY = (PDF, DOCX, XLSX)
# Both kinds are an archive, told by the part that each must have.
MAIN_PARTS = {"word/document.xml": DOCX, "xl/workbook.xml": XLSX}
# Macros make another format of it (DOCM, XLSM); an archive in the archive has no use in a text.
REFUSED_PARTS = re.compile(r".*(?:vbaproject\.bin|\.(?:zip|7z|rar|gz|xz|bz2|zst|jar|tar))", re.I)
# Comments may stand before the first tag. Possessive, or many of them would take exponential time.
HTML_START = re.compile(
    rb"(?:<\?xml[^>]*>|<!--(?>.*?-->)|\s)*+<(?:!doctype html|html|head|body)\b",
    re.DOTALL | re.IGNORECASE,
)
OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# How Word saves with a password: an OLE file with this stream in it.
ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
# Text by their bytes, but not to be read as text.
UNREADABLE_STARTS = (b"{\\rtf", b"%!PS", b"<?xml", b"<svg")

MAX_ZIP_ENTRIES = 2000
MAX_UNPACKED_BYTES = 100 * 1024 * 1024
# XML takes ten times its size in memory when it is parsed.
MAX_UNPACKED_XML_BYTES = 20 * 1024 * 1024
MAX_ZIP_RATIO = 100


def tell(file_name: str, content: bytes) -> str:
    claimed = CLAIMS.get(PurePath(file_name).suffix.lower(), TEXT)
    found = tell_by_bytes(content, claimed)
    if claimed in BINARY and found != claimed:
        raise refused("document_type_mismatch")
    return found


def tell_by_bytes(content: bytes, claimed: str) -> str:
    head = content[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"%PDF-") or (claimed == PDF and b"%PDF-" in head):
        # Two formats at once is how a file gets past one program to be run by another.
        if zipfile.is_zipfile(BytesIO(content)):
            raise refused("document_type_mismatch")
        return PDF
    if head.startswith(b"PK\x03\x04"):
        return tell_zip(content)
    if head.startswith(OLE_START):
        raise refused(
            "document_encrypted" if ENCRYPTED_STREAM in content else "document_type_unknown"
        )
    if HTML_START.match(content[:2048].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")):
        return HTML
    if head.startswith(UNREADABLE_STARTS):
        raise refused("document_type_unknown")
    return TEXT if claimed in BINARY else claimed


def tell_zip(content: bytes) -> str:
    """When the archive unpacks to what a document holds."""
    # Counted before the directory is parsed: a million entries would take a minute and a gigabyte.
    if content.count(b"PK\x01\x02") > MAX_ZIP_ENTRIES:
        raise refused("document_too_complex")
    try:
        entries = zipfile.ZipFile(BytesIO(content)).infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as exc:
        raise refused("document_broken") from exc
    names = [entry.filename for entry in entries]
    kinds = {MAIN_PARTS[name] for name in names if name in MAIN_PARTS}
    if len(kinds) != 1 or any(map(REFUSED_PARTS.fullmatch, names)):
        raise refused("document_type_unknown")
    check_sizes(entries, len(content))
    return kinds.pop()


def check_sizes(entries: list[zipfile.ZipInfo], packed_bytes: int) -> None:
    """zipfile reads no more of an entry than its directory declares, so this bounds the reading."""
    if any(entry.flag_bits & 1 for entry in entries):
        raise refused("document_encrypted")
    unpacked = sum(entry.file_size for entry in entries)
    xml = sum(entry.file_size for entry in entries if entry.filename.endswith((".xml", ".rels")))
    if (
        unpacked > min(MAX_UNPACKED_BYTES, MAX_ZIP_RATIO * packed_bytes)
        or xml > MAX_UNPACKED_XML_BYTES
        or overlap(entries)
    ):
        raise refused("document_too_complex")


def overlap(entries: list[zipfile.ZipInfo]) -> bool:
    """Entries that share their packed bytes unpack to far more than any ratio shows."""
    spans = sorted((entry.header_offset, entry.compress_size) for entry in entries)
    follows = zip(spans, spans[1:], strict=False)
    return any(start + size > following for (start, size), (following, _) in follows)
