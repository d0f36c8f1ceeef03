"""Everything in a text that a contact could follow: links in any dress, addresses, pictures."""

import re

from f.agent.plain_text import unmasked

# Endings that chat apps make clickable without a scheme: these, and every country's.
ENDINGS = (
    "com net org info biz name pro mobi app dev page site online store shop blog cloud tech xyz top"
    " club live life news link click work world today space website email agency digital media"
    " group team zone art bar bet bid cam chat codes company cool deals design events exchange"
    " expert finance fun fund games gold guru help host hosting icu ink institute land lol love"
    " market money network ninja one party photos pics pizza plus press pub racing rest review run"
    " sale school science services social software solutions studio style support systems tips"
    " tools tours trade travel tube uno vip webcam wiki win wtf zip mov example test invalid local"
    " localhost onion int edu gov mil museum travel aero coop jobs cat post tel asia"
).split()
COUNTRIES = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm "
    "bn bo br bs bt bv bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy "
    "cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh "
    "gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is "
    "it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly "
    "ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng "
    "ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru "
    "rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg "
    "th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws "
    "ye yt za zm zw"
).split()
NATIVE_ENDINGS = "рф рус укр бел қаз срб мон 中国 中國 公司 网络 香港 台湾 한국 भारत ไทย".split()
ENDING = rf"(?:xn--[a-z0-9-]+|{'|'.join([*ENDINGS, *COUNTRIES, *NATIVE_ENDINGS])})"

LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
REST = r"(?::\d{1,5})?(?:[/?#][^\s<>\"'`|\])}]*)?"
HOST = rf"(?:{LABEL}\.)+"
SCHEMES = (
    "javascript data vbscript mailto tel sms smsto tg whatsapp intent file callto skype bitcoin"
    " ethereum magnet geo facetime market itms blob about view-source viber signal"
)
LINK = re.compile(
    rf"""
      [a-z][a-z0-9+.-]{{1,20}}:/{{1,}}[^\s<>"'`|\])}}]+          # any scheme
    | \b(?:{"|".join(SCHEMES.split())}):[^\s<>"'`|\])}}]+
    | (?<![:\w/])//[^\s<>"'`|\])}}/]+\.[^\s<>"'`|\])}}]+          # the page's own scheme
    | \bwww\d?\.[^\s<>"'`|\])}}]+
    | (?<![@\w]){HOST}[^\W\d_]{{2,}}(?::\d{{1,5}})?/[^\s<>"'`|\])}}]*   # a path tells it is one
    | (?<![@\w]){HOST}{ENDING}(?![^\W_]){REST}
    | (?<![\w.])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?![\w.]){REST}
    | (?<![\w.])\[(?:[0-9a-f]{{0,4}}:){{2,7}}[0-9a-f]{{0,4}}\]{REST}
    """,
    re.I | re.X,
)
# One that no link is built around.
LONE_ADDRESS = re.compile(rf"(?<![/\w.+-])[\w.+-]+@{HOST}[^\W\d_]{{2,}}(?![\w/:?#@-])", re.I)
ADDRESS = re.compile(rf"[\w.+-]+@{HOST}[^\W\d_]{{2,}}", re.I)
# Markup that fetches or hides an address. A chat has no use for it, so none is ever sent.
MARKUP = re.compile(
    r"""!\s*\[ | \]\s*\(\s*[^)\s] | ^\s*\[[^\]]+\]:\s*\S | \burl\s*\( | @import
      | <\s*/?\s*[a-z][\w:-]*(?:\s[^>]*=|\s*/?>|\s+\w) | \bsrc(?:set)?\s*= | \bhref\s*= | <\s*!""",
    re.I | re.X | re.M,
)
SHOWN_LINK = re.compile(
    r"(?<!!)\[([^\]\n]{1,200})\]\(\s*<?(https?://[^\s)>]+)>?(?:\s+\"[^\"\n]*\")?\s*\)"
)
BRACKETED_LINK = re.compile(r"<(https?://[^\s<>]+)>")
# Short words that end a sentence before a forgotten space: "we do.It is".
SENTENCE = re.compile(r".*\w\.(?:[A-Z][a-z])$")
TRAILING = ".,;:!?/*_`~"


def without_markup(text: str) -> str:
    """Links as they are read and judged: `[words](address)` becomes `words: address`."""
    return BRACKETED_LINK.sub(r"\1", SHOWN_LINK.sub(r"\1: \2", text))


def has_markup(text: str) -> bool:
    """What is left of it `without_markup`: pictures, tags, addresses behind words."""
    return bool(MARKUP.search(unmasked(text)))


def links_in(text: str) -> set[str]:
    """Host in lower case and the rest as it stands, without http(s). Whole links: one that merely
    begins like a known one is another."""
    text = LONE_ADDRESS.sub(" ", unmasked(text))
    found = {match.group() for match in LINK.finditer(text)}
    return {_told(link) for link in found if not SENTENCE.fullmatch(link)}


def addresses_in(text: str) -> set[str]:
    return {match.group().lower().rstrip(TRAILING) for match in ADDRESS.finditer(unmasked(text))}


def _told(link: str) -> str:
    link = re.sub(r"^https?:/+", "", link.rstrip(TRAILING), flags=re.I)
    host = re.match(r"[^/?#]*", link).group()
    return host.lower() + link[len(host) :]


def host_of(link: str) -> str:
    """Of a link as `links_in` tells it; what stands before an @ only looks like a host."""
    authority = re.match(r"[^/?#]*", link).group()
    return authority.rpartition("@")[2].partition(":")[0]


def without_links(text: str) -> str:
    return MARKUP.sub(" ", LINK.sub("(link removed)", unmasked(text)))
