"""Which language a text is in, told only where it is plain."""

import unicodedata

from f.agent.plain_text import words

# The words that sentences are held together by; those that two of the languages share are left
# out, but for the ones that the others outweigh.
COMMON = {
    "en": (
        "the and is are you your we our of to for with this that have has will can not "
        "from how what when where does do it i my be an please within"
    ),
    "pt": (
        "o os um uma não é são você vocês seu sua nós nosso nossa com para que dos das "
        "pelo pela em no na como quando onde mais está estão obrigado eu meu minha ao às "
        "dias"
    ),
    "es": (
        "el los las un una no es son usted su nosotros nuestro nuestra con para que del "
        "por en cómo cuando cuándo dónde más está están gracias yo mi al y días"
    ),
    "de": (
        "in es wird bei "
        "der die das und ist sind sie ihr ihre wir unser unsere mit für nicht ein eine "
        "einen von zu auf wie wann wo ich mein meine den dem werden kann bitte im"
    ),
    "fr": (
        "le les un une et est sont vous votre vos nous notre nos avec pour que pas des du "
        "de dans comment quand où je mon ma au aux ce cette jours"
    ),
    "it": (
        "il gli un una e è sono lei suo sua noi nostro nostra con per che non della del "
        "di nel nella come quando dove io mio mia al giorni grazie"
    ),
    "nl": (
        "de het een en is zijn u uw wij onze ons met voor niet van te op hoe wanneer waar "
        "ik mijn kan wordt naar dat deze binnen dagen"
    ),
}
SETS = {code: frozenset(text.split()) for code, text in COMMON.items()}
SCRIPTS = {
    "CYRILLIC": "cyrillic",
    "GREEK": "el",
    "ARABIC": "ar",
    "HEBREW": "he",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CJK": "zh",
    "THAI": "th",
    "DEVANAGARI": "hi",
}
LEAST_WORDS = 2
SHARE_OF_SCRIPT = 0.5


def language_of(text: str) -> str | None:
    """Two letters, or the name of a script that several languages share; None: not plain."""
    by_script = _script_of(text)
    if by_script:
        return by_script
    found = words(text)
    counts = sorted(
        ((sum(word in common for word in found), code) for code, common in SETS.items()),
        reverse=True,
    )
    (most, code), (second, _) = counts[:2]
    return code if most >= LEAST_WORDS and most >= 1.4 * second else None


def _script_of(text: str) -> str | None:
    letters = [one for one in text if one.isalpha()]
    counts: dict[str, int] = {}
    for letter in letters:
        script = SCRIPTS.get(unicodedata.name(letter, "").split(" ")[0].split("-")[0])
        if script:
            counts[script] = counts.get(script, 0) + 1
    if counts.get("ja"):
        return "ja"
    best = max(counts, key=counts.get, default=None)
    return best if best and counts[best] >= SHARE_OF_SCRIPT * len(letters) else None
