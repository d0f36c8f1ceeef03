"""Who answers: the chatbot, a person, or nobody because it is spam; and how sure that is."""

import math
import re
from dataclasses import dataclass

from f.agent.links import links_in
from f.agent.plain_text import unmasked

MOST_WORDS_OF_A_WISH = 14
PERSON = (
    r"(?:human|person|agent|someone|somebody|representative|real (?:human|person)|operator|"
    r"member of staff|employee|pessoa|humano|atendente|operador\w*|persona|agente|asesor\w*|"
    r"menschen|mitarbeiter\w*|berater\w*|humain|personne|conseill\w+|operatore|medewerker|mens)"
)
WISH = re.compile(
    rf"""\b(?:speak|talk|chat|write|connect\ me|transfer\ me|put\ me\ through)\s(?:to|with)\s
           (?:an?\s|the\s|your\s|some)?(?:\w+\s)?{PERSON}\b
       | \b(?:i\ (?:want|need)|give\ me|get\ me)\s(?:an?\s)?(?:real\s)?(?:human|person|agent)\b
       | ^\W*(?:a\s)?(?:human|real\ person|agent|operator|person)(?:,?\s*please)?\W*$
       | \b(?:falar|conversar)\s(?:com)\s(?:um[a]?\s)?{PERSON}\b
       | \b(?:hablar|chatear)\s(?:con)\s(?:un[a]?\s)?{PERSON}\b
       | \bmit\s(?:einem|einer)?\s?(?:echten\s)?{PERSON}\s(?:sprechen|reden|chatten)\b
       | \bparler\s(?:à|a|avec)\s(?:une?\s)?{PERSON}\b""",
    re.I | re.X,
)
WHEN = re.compile(
    r"\b(?:when|what time|hours?|(?:mon|tues|wednes|thurs|fri|satur|sun)day|weekend|holidays?|"
    r"quando|hor[aá]rio|cu[aá]ndo|wann|quand)\b",
    re.I,
)
# What unwanted mass mail to a shop's chat says, with what each sign is worth. The sum is a log
# odds, so the confidence is one: fitted by hand to the samples in tests/agent/test_route.py.
SPAM = {
    r"\b(?:crypto|bitcoin|forex|casino|betting|viagra|escort|onlyfans|lottery|jackpot)\b": 2.2,
    r"\b(?:seo|backlinks?|rank(?:ing)? (?:on|#)|guest post|followers|web ?design services)\b": 2.2,
    r"\b(?:guaranteed|double your|earn \$?\d|work from home|100% free|risk.free|investment)\b": 1.6,
    r"\b(?:dear (?:sir|friend|beneficiary)|inheritance|million (?:dollars|usd|euros))\b": 2.4,
    r"\b(?:click (?:here|the link)|limited (?:time|offer)|act now|join our channel)\b": 1.4,
    r"\b(?:whatsapp|telegram|t\.me)\b.{0,20}(?:\+?\d[\d ]{7,}|@\w|/)": 1.2,
}  # fmt: skip
SPAM_SIGNS = [(re.compile(pattern, re.I | re.S), worth) for pattern, worth in SPAM.items()]
SPAM_BASE, SPAM_PER_LINK, MOST_LINKS, MOST_OF_A_SIGN = -4.0, 1.3, 3, 3

# Log odds that an answer is right: a base, and what each of signs_of() is worth. What `./chatmill
# bench confidence` fits to one half of its questions, with MiniLM; on the other half, what is said
# and what is right are 0.13 apart (StackFAQ) and 0.13 (the demo's help centre, 33 answers).
LOG_ODDS = (-2.5, 5.8, 6.1, -7.1)
WITHOUT_PASSAGE, UNKNOWN, SMALL_TALK = 0.15, 0.05, 0.9

# What was decided by what is known; guards, vendors in trouble and wishes for a person say nothing
# of the documents.
BY_KNOWLEDGE = ("answered", "low_confidence")
# Tools that bring no answer from elsewhere.
SILENT_TOOLS = {"knowledge", "hand_off"}


@dataclass(frozen=True)
class Route:
    kind: str  # auto | human | spam
    confidence: float
    reason: str


def wants_person(question: str) -> bool:
    """Asked for in so many words; a long message that mentions it, or a question when somebody is
    there, is the model's to understand."""
    plain = unmasked(question)
    is_short = len(plain.split()) <= MOST_WORDS_OF_A_WISH
    return is_short and bool(WISH.search(plain)) and not WHEN.search(plain)


def spam_confidence(question: str) -> float:
    plain = unmasked(question)
    worth = sum(worth * min(len(sign.findall(plain)), MOST_OF_A_SIGN) for sign, worth in SPAM_SIGNS)
    links = min(len(links_in(question)), MOST_LINKS)
    return _chance(SPAM_BASE + worth + SPAM_PER_LINK * links)


def answer_confidence(
    tool_calls: list[dict], is_unknown_reply: bool, citations: list[dict]
) -> float:
    """`tool_calls`: the records of the toolbox; `citations`: the passages that the model's reply
    rests on. What no passage bears out is worth little, what needed no look-up (a greeting) is
    fine."""
    if is_unknown_reply:
        return UNKNOWN
    if not any(call["tool"] == "knowledge" for call in tool_calls):
        return SMALL_TALK
    if not _scores(tool_calls):
        others = [call for call in tool_calls if call["tool"] != "knowledge"]
        return SMALL_TALK if others else WITHOUT_PASSAGE
    base, *worths = LOG_ODDS
    signs = signs_of(tool_calls, citations)
    return _chance(base + sum(one * sign for one, sign in zip(worths, signs, strict=True)))


def is_unanswered(route: Route, verdict: str, tool_calls: list[dict]) -> bool:
    """Whether the documents do not answer: somebody may write one that does."""
    if verdict != "ok" or route.reason not in BY_KNOWLEDGE:
        return False
    found = [call["result"].get("passages") for call in tool_calls if call["tool"] == "knowledge"]
    found_nothing = bool(found) and not any(found)
    is_all = {call["tool"] for call in tool_calls} <= SILENT_TOOLS
    is_unsure = route.reason == "low_confidence" or route.confidence <= WITHOUT_PASSAGE
    return is_unsure or (found_nothing and is_all)


def signs_of(tool_calls: list[dict], citations: list[dict]) -> tuple[float, float, float]:
    """From retrieval: the best passage's similarity, and by how much it leads the third. From the
    model: by how much the passages that it chose are behind the best; all of it, if none."""
    first = sorted(_scores(tool_calls), reverse=True)[:3]
    best, third = first[0], first[-1]
    chosen = max((one["score"] for one in citations), default=0.0)
    return best, best - third, best - chosen


def _scores(tool_calls: list[dict]) -> list[float]:
    looked_up = [call["result"] for call in tool_calls if call["tool"] == "knowledge"]
    return [one["score"] for result in looked_up for one in result.get("passages", [])]


def _chance(log_odds: float) -> float:
    return round(1 / (1 + math.exp(-log_odds)), 3)
