"""Delete versions, readings and vectors that nothing needs any more, but for what replies cite."""

from f.shared.db import connect
from f.shared.resources import postgresql

ROWS_PER_TRANSACTION = 2000


def main(db: postgresql, days: int = 30) -> dict:
    """`days`: how long a version that was replaced is kept whole."""
    forgotten = 0
    while True:
        with connect(db) as conn, conn.cursor() as cursor:
            cursor.execute("select forget_old_knowledge(%s, %s)", [days, ROWS_PER_TRANSACTION])
            (count,) = cursor.fetchone()
        forgotten += count
        if not count:
            return {"rows_forgotten": forgotten}
