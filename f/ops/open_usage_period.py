"""Prepare the months that begin, and report those that ended.

Every hour and not every month: a month begins at 24 hours around the world, and a run that was
missed is made up for by the next one. What was prepared or reported already is left alone.
"""

from f.shared.db import connect
from f.shared.resources import postgresql


def main(db: postgresql) -> dict:
    return {
        "periods_opened": count(db, "select open_coming_usage_periods()"),
        "periods_reported": count(db, "select report_ended_usage_periods()"),
        "days_forgotten": count(db, "select forget_usage_days()"),
    }


def count(db: postgresql, query: str) -> int:
    with connect(db) as conn, conn.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]
