"""Let the source be read again in a minute, and raise one alert, whatever broke."""

import f.knowledge.sources as sources
from f.shared.db import connect
from f.shared.resources import postgresql


def main(
    db: postgresql,
    source_id: str,
    step_id: str,
    error_name: str,
    is_retryable: bool,
    alerts: bool,
) -> dict:
    """Only the error's name goes into the alert: its message may quote a document."""
    with connect(db) as conn:
        sources.release(conn, source_id, is_retryable)
        if alerts:
            sources.raise_alert(conn, source_id, step_id, error_name)
    return {"source_id": source_id, "error_name": error_name}
