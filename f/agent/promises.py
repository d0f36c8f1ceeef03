"""What a reply claims to have done, held against what this turn really did.

Deterministic on purpose: a second model could be talked into agreeing. A claim is found by the
words that people use for it in five languages; a sentence that stands in a passage that was found
is the organization's own and no claim of the agent.
"""

import re

from f.agent.plain_text import sentences, spoken, unmasked

PERSON = (
    r"(?:colleagues?|teammates?|team|agents?|person|human|someone|somebody|specialists?|"
    r"manager|support|representative|advis[eo]r|coleg\w+|equip[ae]\w*|pessoas?|human[oa]s?|"
    r"atendentes?|especialistas?|compa[nñ]er\w+|equipos?|agentes?|personas?|asesor\w*|"
    r"kolleg\w+|mitarbeiter\w*|team|menschen?|coll[eè]gues?|conseill\w+|[eé]quipe|personne|humain)"
)
HANDED_OFF = [
    rf"\b(?:i|we|i'll|we'll|i'm|i've|we've)\b[^.!?\n]{{0,30}}\b(?:pass|forward|escalat|transfer|"
    rf"hand|connect|refer|notif|inform|alert)\w*\b[^.!?\n]{{0,60}}\b{PERSON}\b",
    rf"\b{PERSON}\b[^.!?\n]{{0,30}}"
    r"\b(?:will|is going to|is on it|has been (?:notified|informed))\b",
    rf"\b(?:encaminh|transfer|passe|repass|reencaminh|avis)\w*\b[^.!?\n]{{0,60}}\b{PERSON}\b",
    rf"\b{PERSON}\b[^.!?\n]{{0,20}}\b(?:vai|ir[aá]|entrar[aá]|responder[aá]|contactar[aá])\b",
    rf"\b(?:he|hemos|voy a|vamos a)\b[^.!?\n]{{0,20}}\b(?:pasa|transfer|deriv|remit|escal|avis)\w*"
    rf"\b[^.!?\n]{{0,60}}\b{PERSON}\b",
    rf"\b{PERSON}\b[^.!?\n]{{0,20}}\b(?:contactar[aá]|responder[aá]|pondr[aá]|va a|se pondr[aá])\b",
    r"\b(?:weiter(?:geleitet|gegeben)|leite\b[^.!?\n]{0,60}\bweiter|gebe\b[^.!?\n]{0,60}\bweiter)\b",
    rf"\b{PERSON}\b[^.!?\n]{{0,20}}\b(?:wird|werden|meldet|melden)\b",
    rf"\b(?:transmi|transf[eéè]r)\w*\b[^.!?\n]{{0,60}}\b{PERSON}\b",
    rf"\b{PERSON}\b[^.!?\n]{{0,20}}\b(?:va vous|vous (?:contactera|r[eé]pondra|recontactera))\b",
]
REMEMBERED = [
    r"\b(?:i|we)(?:'ve| have|'ll| will)(?: now| just)? (?:note|noted|saved?|recorded?|remember|"
    r"remembered|written (?:it|that) down|make a note)\b",
    r"\b(?:anotei|guardei|registei|registrei|vou (?:anotar|lembrar))\b",
    r"\b(?:he (?:anotado|guardado|registrado)|voy a recordar)\b",
    r"\b(?:habe\b[^.!?\n]{0,40}\b(?:notiert|gespeichert|gemerkt)|merke mir)\b",
    r"\bj'ai (?:bien )?(?:not[eé]|enregistr[eé])\b",
]
# Done to something outside: an order, money, a date.
EN_DONE = (
    r"(?:cancel|refund|order|book|chang|updat|creat|email|reset|reserv|activat|process|issu|"
    r"unsubscrib|delet|remov|add|schedul|submit|regist|open|fil|pa(?:id|y)|charg|confirm|extend|"
    r"appl|credit|reschedul|replac|arrang|plac|upgrad|downgrad|block|approv)\w*"
)
DE_DONE = (
    r"(?:storniert|erstattet|ge[aä]ndert|gesendet|geschickt|gebucht|bestellt|reserviert|"
    r"aktualisiert|gel[oö]scht|bezahlt|gek[uü]ndigt)"
)
DONE = [
    rf"\b(?:i|we)(?:'ve| have|'m|'re| am| are)(?: just| now| already| successfully)? "
    rf"(?:{EN_DONE}(?:ed|ing|d)\b|sent\b|made\b|paid\b|sending\b)",
    rf"\bi (?:just |now |already )?(?:{EN_DONE}ed|sent|made|paid)\b",
    rf"\byour\b[^.!?\n]{{0,50}}\b(?:has been|have been|was|were|is now|are now)"
    rf"(?: successfully)? (?:{EN_DONE}(?:ed|d)\b|sent|made|paid)",
    r"^\W*(?:(?:so|ok|okay|done|sure|and),?\s)?(?:your |the )?(?:order|booking|reservation|"
    r"subscription|appointment|refund|payment)\b[^.!?\n]{0,20}\b(?:is|are) (?:now )?"
    r"(?:cancell?ed|refunded|booked|changed|updated|deleted|closed|made|sent)\b",
    r"\b(?:cancelei|reembolsei|alterei|mudei|enviei|reservei|agendei|encomendei|atualizei|criei|"
    r"removi|apaguei|paguei|devolvi)\b",
    r"\bfoi (?:cancelad|reembolsad|alterad|enviad|reservad|agendad|atualizad|confirmad)[oa]\b",
    r"\bhe (?:cancelado|reembolsado|cambiado|enviado|reservado|pedido|actualizado|creado|"
    r"eliminado|pagado|devuelto|programado)\b",
    r"\bha sido (?:cancelad|reembolsad|cambiad|enviad|reservad|actualizad|confirmad)[oa]\b",
    rf"\b(?:ich|wir) (?:habe|haben)\b[^.!?\n]{{0,80}}\b{DE_DONE}\b",
    rf"\b(?:habe|haben) (?:ich|wir)\b[^.!?\n]{{0,80}}\b{DE_DONE}\b(?![^.!\n]*\?)",
    r"\bwurde\b[^.!?\n]{0,40}\b(?:storniert|erstattet|ge[aä]ndert|versendet|gebucht|gek[uü]ndigt)\b",
    r"\bj'ai (?:bien )?"
    r"(?:annul|rembours|chang|modifi|envoy|r[eé]serv|command|supprim|pay)[eé]\w*\b",
    r"\ba [eé]t[eé] (?:annul|rembours|chang|modifi|envoy|r[eé]serv|confirm)[eé]\w*\b",
]
CLAIMS = {
    kind: [re.compile(pattern, re.I) for pattern in patterns]
    for kind, patterns in (("handed_off", HANDED_OFF), ("remembered", REMEMBERED), ("done", DONE))
}
# What would happen, what one may do: no claim.
CONDITION = re.compile(
    r"^\W*(?:if|when|once|after|as soon as|before|unless|until|se|quando|assim que|depois|si|"
    r"cuando|una vez|wenn|sobald|falls|nachdem|quand|lorsque|d[eè]s que|apr[eè]s)\b",
    re.I,
)
# Of all those it says what was done after it: "after checking, I have cancelled your order".
CLAUSE_OF_BEFORE = re.compile(r"^\W*(?:after|depois|nachdem|apr[eè]s)\b[^,]*,", re.I)
# Behind a colon and in quotation marks stands a sentence in a sentence.
QUOTED = re.compile(r"[:\"“”„«»]|(?<!\w)['‘’]|['’](?!\w)")
PARAGRAPH_END = re.compile(r"\n\s*\n")


def claims_in(reply: str, own_text: str) -> set[str]:
    """handed_off, remembered, done. `own_text`: what the organization wrote itself."""
    own = _own_sentences(own_text)
    return {
        kind
        for sentence in sentences(unmasked(reply).replace("’", "'"))
        if spoken(sentence) not in own
        for kind, patterns in CLAIMS.items()
        if any(pattern.search(sentence, _said_from(sentence, kind)) for pattern in patterns)
    }


def _said_from(sentence: str, kind: str) -> int:
    """Where in a sentence it is said that something is so."""
    if not CONDITION.match(sentence):
        return 0
    clause = CLAUSE_OF_BEFORE.match(sentence) if kind == "done" else None
    return clause.end() if clause else len(sentence)


def _own_sentences(text: str) -> set[str]:
    """Whole ones: that an order is cancelled is said in many a sentence on what happens then. A
    line is one, and so is what was wrapped into lines."""
    unwrapped = (" ".join(one.split()) for one in PARAGRAPH_END.split(text))
    whole = [*sentences(text), *(one for each in unwrapped for one in sentences(each))]
    return {spoken(part) for one in whole for part in (one, *QUOTED.split(one))}


def unkept(claims: set[str], effects, has_read_outside: bool) -> set[str]:
    """The claims that nothing in this turn bears out.

    `has_read_outside`: a tool of the organization's told something, so "your order was sent" may
    be its news; it never is for what the agent itself did.
    """
    kept = {
        "handed_off": effects.has_done("hand_off"),
        "remembered": effects.has_done("remember_fact") or effects.has_acted(),
        "done": effects.has_acted() or has_read_outside,
    }
    return {claim for claim in claims if not kept[claim]}
