"""Ask every vendor whether its channel still works, and notice channels that fell silent."""

from collections.abc import Callable, Sequence
from multiprocessing import TimeoutError as TooLate
from multiprocessing.pool import AsyncResult, ThreadPool

import f.channels.accounts as accounts
import f.channels.registry as registry
from f.channels.accounts import Account
from f.channels.checks import Problem
from f.shared.db import connect
from f.shared.resources import postgresql

AT_ONCE = 16
PATIENCE_SECONDS = 30


def main(db: postgresql, sealing_key: str) -> dict:
    with connect(db) as conn:
        channels = accounts.active(conn, sealing_key)
    # No transaction is open while vendors are asked.
    found = asked_all(channels, problems_of)
    with connect(db) as conn:
        for channel, problems in zip(channels, found, strict=True):
            for problem in problems:
                report(conn, channel, problem)
        silent = count_silent(conn)
    return {"channels": len(channels), "problems": sum(map(len, found)), "silent": silent}


def asked_all(
    channels: Sequence[Account | str], ask: Callable[[Account | str], list[Problem]]
) -> list[list[Problem]]:
    """What is wrong with each, in their order. A vendor that hangs is waited for beside the others
    and then left: its thread ends with the process at the latest."""
    with ThreadPool(AT_ONCE) as pool:
        pending = [pool.apply_async(ask, (channel,)) for channel in channels]
        return [_in_time(one) for one in pending]


def _in_time(asked: AsyncResult) -> list[Problem]:
    try:
        return asked.get(PATIENCE_SECONDS)
    except TooLate:
        return [Problem("vendor_trouble", f"no answer in {PATIENCE_SECONDS} s")]


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
