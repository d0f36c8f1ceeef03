"""./chatmill usage: what organizations used of their plans, month by month."""

import argparse
import json
import uuid

import psycopg2

from local.errors import CannotRun
from local.facts import rows
from local.migrations import connection_to
from local.places import STATE
from local.postgres import open_postgres
from local.terminal import heading, paint, shortened

MICROCENTS = 1_000_000

PERIODS = """
select organizations.id::text as organization_id, organizations.name, plan_id, time_zone,
       organizations.is_active, starts_on::text,
       messages_used, messages_reserved, message_limit, messages_percent,
       tokens_used, tokens_reserved, tokens_overrun, token_limit, tokens_percent,
       cost_microcents, cost_reserved_microcents, cost_overrun_microcents, cost_limit_microcents,
       cost_percent, reported_at::text,
       array(select concat_ws(' ', nullif(meter, 'plan'), level) from usage_warnings
              where usage_warnings.organization_id = organizations.id
                and usage_warnings.starts_on = usage_periods.starts_on
              order by raised_at, meter) as warnings
  from organizations left join usage_periods on organization_id = organizations.id
   and starts_on > (usage_today(organizations.id) - make_interval(months => %(months)s))
 where %(organization_id)s is null or organizations.id = %(organization_id)s::uuid
 order by organizations.name, organizations.id, starts_on desc
"""


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    with open_postgres(STATE) as postgres:
        periods = read_periods(postgres.resource, options.organization, options.months)
    if options.json:
        print(json.dumps(periods, indent=2))
    else:
        report(periods)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill usage", description="Print what organizations used of their plans."
    )
    parser.add_argument("organization", nargs="?", type=uuid.UUID, help="its id; all without one")
    parser.add_argument("--months", type=int, default=3, metavar="N", help="how many (3)")
    parser.add_argument("--json", action="store_true", help="the same as JSON; costs in microcents")
    return parser.parse_args(arguments)


def read_periods(resource: dict, organization_id: uuid.UUID | None, months: int) -> list[dict]:
    """One row per organization and month, newest first; an organization without any has one row
    whose `starts_on` is None."""
    values = {"organization_id": organization_id and str(organization_id), "months": months}
    with connection_to(resource) as connection:
        try:
            periods = rows(connection, PERIODS, values)
        except psycopg2.errors.UndefinedTable as error:
            raise CannotRun("the database is not prepared. Run ./chatmill migrate.") from error
    if organization_id and not periods:
        raise CannotRun(f"there is no organization {organization_id}.")
    return periods


def report(periods: list[dict]) -> None:
    shown = None
    for period in periods:
        if period["organization_id"] != shown:
            shown = period["organization_id"]
            print_organization(period)
        if period["starts_on"]:
            print_period(period)


def print_organization(period: dict) -> None:
    heading(shortened(period["name"], 78))
    off = "" if period["is_active"] else ", switched off"
    print(f"  {period['organization_id']}  plan {period['plan_id']}, {period['time_zone']}{off}")
    if period["starts_on"]:
        columns = f"{'used':>14}{'held':>11}{'overrun':>11}{'limit':>16}{'':>6}"
        print(paint(f"  {'month':9}{'':9}{columns}", "dim"))
    else:
        print("  nothing used yet")


def print_period(period: dict) -> None:
    print_meter(period["starts_on"][:7], "messages", figures(period, "messages", "message_limit"))
    print_meter("", "tokens", figures(period, "tokens", "token_limit"))
    cost = (
        period["cost_microcents"],
        period["cost_reserved_microcents"],
        period["cost_overrun_microcents"],
        period["cost_limit_microcents"],
        period["cost_percent"],
    )
    print_meter("", "cents", cost, MICROCENTS)
    if period["warnings"]:
        told = ", ".join(period["warnings"]).replace("_", " ")
        print(paint(f"  {'':9}alerted: {told}", "red"))


def figures(period: dict, meter: str, limit: str) -> tuple:
    return (
        period[f"{meter}_used"],
        period[f"{meter}_reserved"],
        period.get(f"{meter}_overrun", 0),
        period[limit],
        period[f"{meter}_percent"],
    )


def print_meter(month: str, name: str, numbers: tuple, unit: int = 1) -> None:
    *amounts, limit, percent = numbers
    used, held, overrun = (f"{amount / unit:,.{2 if unit > 1 else 0}f}" for amount in amounts)
    most = "no limit" if limit is None else f"{limit / unit:,.0f}"
    share = "" if limit is None else f"{percent} %"
    print(f"  {month:9}{name:9}{used:>14}{held:>11}{overrun:>11}{most:>16}{share:>6}")
