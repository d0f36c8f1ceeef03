"""A million hostile statements as the steps' roles: how many rows of others they see."""

from bench.chaos import stage
from bench.chaos.options import Options
from bench.isolation import attack

QUERIES = 1_000_000


def isolation(options: Options) -> dict:
    """`--messages` is the number of statements here."""
    with stage.set_up() as ready:
        login_key = ready.secrets.login_key
        found = attack(ready.resource, login_key, options.messages or QUERIES, options.seed)
    broken = f"{found['foreign_rows']} foreign rows were seen: {', '.join(found['findings'][:3])}"
    return {
        "promises": [
            "No statement sees a row of another organization, injected SQL, forged tickets and"
            f" pooled connections included: {found['foreign_rows']} foreign rows in"
            f" {found['queries']} random statements over {found['tables']} tables, which saw"
            f" {found['own_rows_seen']} rows of their own."
        ],
        "statements": found["queries"],
        "foreign_rows": found["foreign_rows"],
        "own_rows_seen": found["own_rows_seen"],
        "seconds": found["seconds"],
        "broken": [broken] if found["foreign_rows"] else [],
    }
