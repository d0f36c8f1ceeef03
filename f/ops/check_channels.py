"""Ask every vendor whether its channel still works, and notice channels that fell silent."""

import f.channels.accounts as accounts
import f.channels.registry as registry
from f.channels.accounts import Account
from f.channels.checks import Problem
from f.shared.db import connect
from f.shared.resources import postgresql


def main(db: postgresql, sealing_key: str) -> dict:
    with connect(db) as conn:
        channels = accounts.active(conn, sealing_key)
    # No transaction is open while vendors are asked.
    found = [(channel, problem) for channel in channels for problem in problems_of(channel)]
    with connect(db) as conn:
        for channel, problem in found:
            report(conn, channel, problem)
        silent = count_silent(conn)
    return {"channels": len(channels), "problems": len(found), "silent": silent}


def problems_of(channel: Account | str) -> list[Problem]:
    if isinstance(channel, str):
        return [Problem("credentials_sealed")]
    return registry.library(channel.kind).check(channel.credentials)


def report(conn, channel: Account | str, problem: Problem) -> None:
    channel_id = channel if isinstance(channel, str) else channel.channel_id
    accounts.report_problem(conn, channel_id, problem.code, problem.details)


def count_silent(conn) -> int:
    with conn.cursor() as cursor:
        cursor.execute("select report_silent_channels()")
        return cursor.fetchone()[0]
