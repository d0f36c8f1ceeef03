"""Common questions answered as before, without a model; never with anything of a contact's.

Only the first question of a conversation of which nothing is known, without a name, number or
address in it, and only an answer that rests on documents alone. Row-level security keeps it in
the organization; the fingerprint in the chatbot's very words and documents.
"""

import hashlib
import json
import re

from f.agent.context import Known
from f.agent.links import addresses_in, links_in
from f.agent.plain_text import unmasked, words
from f.agent.prompts import VERSION
from f.agent.reply import Cached

LEAST_WORDS, MOST_WORDS = 2, 30
DAYS = 7
# Said around a question, and no part of it.
FRAME = frozenset(
    "hi hello hey hola ola olá hallo bonjour good morning afternoon evening please pls thanks thank"
    " you kindly dear team por favor obrigado obrigada gracias bitte danke merci s'il vous plaît"
    " just quick question sorry excuse me so well um".split()
)
# About this contact, or about this hour.
UNCOMMON = re.compile(
    r"\d{4,}|#\s*\d|\b(?:my|mine|our|i'm|i am|me|meu|minha|mi|mis|mein\w*|mon|ma|mes|mijn)\b"
    r"|\b(?:now|today|tonight|tomorrow|yesterday|hoje|agora|hoy|ahora|heute|jetzt|morgen|demain"
    r"|aujourd'hui|maintenant|vandaag|nu)\b",
    re.I,
)

# One number for which versions there are: their order and their times play no part.
STATE = """
select count(*), bit_xor(hashtextextended(id::text, 0))
  from documents_to_search(%s, %s::text[]) as id
"""
FIND = """
select answer, citations from cached_answers
 where chatbot_id = %s and fingerprint = %s
   and written_at > now() - make_interval(days => %s)
"""
HIT = """
update cached_answers set hits = hits + 1, last_hit_at = now()
 where chatbot_id = %s and fingerprint = %s
"""
KEEP = """
insert into cached_answers (chatbot_id, fingerprint, organization_id, answer, citations)
values (%s, %s, %s, %s, %s)
    on conflict on constraint cached_answers_pkey do nothing
"""
FORGET = """
delete from cached_answers
 where chatbot_id = %s and written_at < now() - make_interval(days => %s)
"""


def find(
    cursor,
    organization_id: str,
    chatbot_id: str,
    owners_words: list,
    source_tags: list[str],
    question: str,
    known: Known,
) -> Cached:
    """`owners_words`: everything of the chatbot that shapes an answer; `source_tags`: what it
    answers from."""
    key = key_of(question)
    if not key or known != Known():
        return Cached()
    cursor.execute(STATE, (organization_id, source_tags))
    text = json.dumps([key, VERSION, owners_words, cursor.fetchone()], ensure_ascii=False)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    cursor.execute(FIND, (chatbot_id, fingerprint, DAYS))
    row = cursor.fetchone()
    return Cached(fingerprint, row[0], tuple(row[1])) if row else Cached(fingerprint)


def key_of(question: str) -> str:
    """Equal for questions that differ in case, marks and politeness; empty: not for the cache."""
    plain = unmasked(question)
    if UNCOMMON.search(plain) or links_in(question) or addresses_in(question):
        return ""
    said = [word for word in words(question) if word not in FRAME]
    return " ".join(said) if LEAST_WORDS <= len(said) <= MOST_WORDS else ""


def count_hit(cursor, chatbot_id: str, cached: Cached) -> None:
    cursor.execute(HIT, (chatbot_id, cached.fingerprint))


def keep(
    cursor, organization_id: str, chatbot_id: str, cached: Cached, answer: str, citations: list
) -> None:
    cursor.execute(FORGET, (chatbot_id, DAYS))
    values = (chatbot_id, cached.fingerprint, organization_id, answer, json.dumps(citations))
    cursor.execute(KEEP, values)


def is_common(tool_calls: list[dict], citations: list[dict]) -> bool:
    """Whether an answer rests on documents and on nothing else."""
    return bool(citations) and {call["tool"] for call in tool_calls} == {"knowledge"}
