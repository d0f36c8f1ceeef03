"""A sitemap (sitemaps.org), or an index of them, to its addresses: a reader for the sandbox."""

import zlib

from lxml import etree  # pin: lxml==6.1.3

from f.knowledge.plain_text import decode
from f.knowledge.refusals import refused
from f.knowledge.sections import Section

MAX_ADDRESSES = 50_000
MAX_UNPACKED_BYTES = 20 * 1024 * 1024
GZIP_START = b"\x1f\x8b"
INDEX, PAGES = "index", "pages"


def read(content: bytes) -> tuple[str, list[Section]]:
    """INDEX or PAGES; a section for each address, below when it changed last, as it is written."""
    content = unpacked(content)
    if content.lstrip().startswith(b"<"):
        return read_xml(content)
    lines = [line.strip() for line in decode(content).splitlines()]
    return PAGES, listed([(line, "") for line in lines if line.startswith("http")])


def unpacked(content: bytes) -> bytes:
    if not content.startswith(GZIP_START):
        return content
    try:
        unpacker = zlib.decompressobj(wbits=31)
        content = unpacker.decompress(content, MAX_UNPACKED_BYTES)
    except zlib.error as exc:
        raise refused("sitemap_broken") from exc
    if unpacker.unconsumed_tail:
        raise refused("document_too_large")
    return content


def read_xml(content: bytes) -> tuple[str, list[Section]]:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as exc:
        raise refused("sitemap_broken") from exc
    entries = [entry for entry in root.iterchildren(etree.Element)]
    kind = INDEX if etree.QName(root).localname == "sitemapindex" else PAGES
    return kind, listed([(value(entry, "loc"), value(entry, "lastmod")) for entry in entries])


def value(entry, name: str) -> str:
    return next((" ".join(one.itertext()).strip() for one in entry.iter(f"{{*}}{name}")), "")


def listed(entries: list[tuple[str, str]]) -> list[Section]:
    found = [Section([changed], None, url) for url, changed in entries if url]
    if not found:
        raise refused("sitemap_broken")
    return found[:MAX_ADDRESSES]
