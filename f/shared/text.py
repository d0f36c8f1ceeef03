"""Text from outside, made fit for Postgres: it refuses NUL and lone surrogates."""


def storable(value):
    """A JSON value whose every text has no NUL; a lone surrogate becomes U+FFFD, a pair of them
    its character."""
    match value:
        case str():
            text = value.replace("\0", "")
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [storable(one) for one in value]
        case dict():
            return {storable(key): storable(one) for key, one in value.items()}
    return value
