"""HTML to sections: the page's main text with its structure, without menus, scripts and banners."""

import re

from lxml import etree, html  # pin: lxml==6.1.3

import f.knowledge.plain_text as plain_text
from f.knowledge.hidden_text import text_of, without_hidden
from f.knowledge.page_walk import PageWalk
from f.knowledge.refusals import refused
from f.knowledge.sections import Section

# Only encodings that pages really declare: some of Python's other codecs take quadratic time.
DECLARED = re.compile(
    rb"charset\s*=\s*[\"']?\s*(iso-8859-\d{1,2}|windows-125\d|shift_jis|euc-jp|euc-kr|gb2312|gbk"
    rb"|gb18030|big5|koi8-[ru])\b",
    re.IGNORECASE,
)
MAIN = ".//main|.//*[@role='main']|.//article"
NEVER_TEXT = "script|style|noscript|template|iframe|svg|math|object|select|button|form|dialog|nav"
AROUND_TEXT = {
    *("navigation", "banner", "contentinfo", "search", "complementary", "dialog", "menu"),
    "menubar",
}
# Whole words of class and id, so that "menu" does not take "restaurant-menu-prices" away.
BOILERPLATE = re.compile(
    r"(?:^|\s)(?:(?:cookie|consent|gdpr)[\w-]*|breadcrumbs?|site-(?:header|footer|nav)|navbar"
    r"|sidebar|social(?:-links)?|share(?:-buttons)?|newsletter|pagination|skip-link|comments"
    r"|related(?:-posts|-articles)?)(?:\s|$)",
    re.IGNORECASE,
)
MIN_MENU_LINKS = 4
MENU_LINK_SHARE = 0.8


def read(content: bytes) -> tuple[str, list[Section]]:
    text = plain_text.clean(decode(content))
    page = parsed(text)
    if page is None:
        return "", []
    name = page.findtext(".//title") or ""
    sections = PageWalk(main_part(without_hidden(page))).sections()
    if not sections:
        # Some pages show everything only by their scripts.
        sections = PageWalk(main_part(parsed(text))).sections()
    headings = [section.heading_path[0] for section in sections if section.heading_path]
    return next(iter(headings), name), sections


def parsed(text: str):
    """None when nothing of it is markup."""
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)
    try:
        # As bytes: lxml refuses a text that declares an encoding.
        return html.document_fromstring(text.encode(), parser=parser)
    except etree.ParserError:
        return None


def main_part(page):
    """What the page names its main text; else all of it, without what pages have around it."""
    etree.strip_elements(page, *NEVER_TEXT.split("|"), with_tail=False)
    named = [part for part in page.xpath(MAIN) if len(text_of(part)) > 0]
    if named and named[0].tag != "article":
        return without_boilerplate(named[0])
    if len(named) == 1:
        return without_boilerplate(named[0])
    body = page.find("body")
    part = page if body is None else body
    if not named:
        for tag in ("header", "footer", "aside"):
            etree.strip_elements(part, tag, with_tail=False)
    return without_boilerplate(part)


def without_boilerplate(part):
    for element in list(part.iterdescendants(etree.Element)):
        if is_boilerplate(element):
            element.drop_tree()
    return part


def is_boilerplate(element) -> bool:
    names = f"{element.get('class', '')} {element.get('id', '')}"
    return (
        element.get("role") in AROUND_TEXT
        or bool(BOILERPLATE.search(names[:500]))
        or (element.tag in ("ul", "ol") and is_menu(element))
    )


def is_menu(element) -> bool:
    """A list of nothing but links leads elsewhere."""
    links = element.findall(".//a")
    if len(links) < MIN_MENU_LINKS:
        return False
    return sum(len(text_of(link)) for link in links) > MENU_LINK_SHARE * len(text_of(element))


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
