"""Why an address from outside is not fetched, and what whoever gave it can do about it."""

from f.shared.errors import InputRefused

SENTENCES = {
    # One code and one sentence for what is forbidden and what is not there: two would let anybody
    # map the network that we stand in.
    "url_blocked": "This address cannot be fetched: give the full address of a public page or "
    "file, as it opens in a browser without a login.",
    "url_not_found": "There is nothing at this address: check it, or remove it.",
    "url_needs_login": "The website asks for a login, or refuses programs: "
    "save the page as a file, and upload that.",
    "url_failed": "The website answered with an error: try again later.",
    "url_too_slow": "The website took too long to answer: try again later, "
    "or save the page as a file, and upload that.",
    "url_too_large": "What lies at this address is too large: split it into smaller files "
    "(at most 10 MB each).",
    "url_type_refused": "What lies at this address is of a kind that cannot be read: "
    "give the address of a page or a document.",
}


def refused(code: str) -> InputRefused:
    return InputRefused(code, SENTENCES[code])
