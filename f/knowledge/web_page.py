"""HTML to sections: the page's main text, without menus, scripts and cookie banners."""

# trafilatura needs this one, and says so in a spelling that not every installer understands.
# extra_requirements:
# lxml_html_clean==0.4.6

import copy
import re

import trafilatura  # pin: trafilatura==2.3.1
from lxml import etree  # pin: lxml==6.1.3
from trafilatura.settings import DEFAULT_CONFIG

import f.knowledge.markdown as markdown
import f.knowledge.plain_text as plain_text
from f.knowledge.refusals import refused
from f.knowledge.sections import Section

# Only encodings that pages really declare: some of Python's other codecs take quadratic time.
DECLARED = re.compile(
    rb"charset\s*=\s*[\"']?\s*(iso-8859-\d{1,2}|windows-125\d|shift_jis|euc-jp|euc-kr|gb2312|gbk"
    rb"|gb18030|big5|koi8-[ru])\b",
    re.IGNORECASE,
)
# As it comes, trafilatura flattens every page with less than 250 characters of text.
SETTINGS = copy.deepcopy(DEFAULT_CONFIG)
SETTINGS["DEFAULT"]["MIN_EXTRACTED_SIZE"] = "1"


def read(content: bytes) -> tuple[str, list[Section]]:
    page = trafilatura.load_html(plain_text.clean(decode(content)))
    if page is None:
        return "", []
    name = page.findtext(".//title") or ""
    mark_main_text(page)
    text = trafilatura.extract(
        page, output_format="markdown", include_comments=False, config=SETTINGS
    )
    title, sections = markdown.read_text(text or "")
    return title or name, sections


def decode(content: bytes) -> str:
    """UTF-8 when it is; else what the page declares."""
    declared = DECLARED.search(content[:2048])
    if not declared or is_utf8(content):
        return plain_text.decode(content)
    try:
        return content.decode(declared[1].decode())
    except UnicodeDecodeError as exc:
        raise refused("document_encoding_unknown") from exc


def is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def mark_main_text(page) -> None:
    """A page that was saved from a word processor names no main part: then all of it is.

    Otherwise trafilatura guesses, and drops the headings.
    """
    body = page.find("body")
    if body is None or page.find(".//main") is not None or page.find(".//article") is not None:
        return
    article = etree.SubElement(body, "article")
    article.text, body.text = body.text, None
    article.extend(body[:-1])
