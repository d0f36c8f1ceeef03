"""./chatmill chatbot: versions of a chatbot's words, drafted, tried and published."""

import argparse
import getpass
import json
import uuid
from dataclasses import replace
from pathlib import Path

import yaml

from f.chat.turn_context import CHATBOT_COLUMNS
from local.chatbot_settings import NAMES, demo_chatbot, settings_of
from local.errors import CannotRun
from local.evals import Result, keep, read_cases, run_cases
from local.facts import rows
from local.migrations import connection_to
from local.models import open_model
from local.places import STATE
from local.postgres import open_postgres
from local.rehearsal import Stage
from local.secrets_file import load_secrets

TIMES = 3
VERSIONS = """
select version, state, created_at::date::text, published_at::text, override_reason
  from chatbot_versions where chatbot_id = %(chatbot_id)s order by version
"""
IN_USE = f"select {CHATBOT_COLUMNS} from chatbots where id = %(chatbot_id)s"
ADD = """
insert into chatbot_versions (chatbot_id, version, organization_id, settings)
select id, 1 + coalesce((
         select max(version) from chatbot_versions where chatbot_id = chatbots.id), 0),
       organization_id, %(settings)s
  from chatbots where id = %(chatbot_id)s
returning version
"""
RETIRE = """
update chatbot_versions set state = 'retired'
 where chatbot_id = %(chatbot_id)s and state = 'published'
"""
PUBLISH = """
update chatbot_versions
   set state = 'published', published_at = now(), published_by = %(published_by)s,
       override_reason = %(override_reason)s
 where chatbot_id = %(chatbot_id)s and version = %(version)s
"""


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    with open_postgres(STATE) as postgres:
        resource = postgres.resource
        chatbot_id = str(options.chatbot) if options.chatbot else demo_chatbot(resource)
        if options.action == "draft":
            version = draft(resource, chatbot_id, read_settings(options.file))
            print(f"version {version} is drafted; try it: ./chatmill chatbot publish {version}")
        elif options.action == "publish":
            with open_model() as model:
                stage = Stage(resource, model, load_secrets(STATE).sealing_key, chatbot_id)
                publish(stage, options.version, read_cases(options.evals), options.override)
            print(f"version {options.version} answers from now on")
        else:
            report(resource, chatbot_id)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chatmill chatbot", description="Draft and publish versions of a chatbot's words."
    )
    parser.add_argument("--chatbot", type=uuid.UUID, help="its id; the demo's without one")
    actions = parser.add_subparsers(dest="action")
    actions.add_parser("list", help="versions, and the words in use")
    drafting = actions.add_parser("draft", help="make a version of a YAML file")
    drafting.add_argument("file", type=Path, help=f"any of: {', '.join(NAMES)}")
    publishing = actions.add_parser("publish", help="if it answers golden questions no worse")
    publishing.add_argument("version", type=int)
    publishing.add_argument("--evals", type=Path, required=True, help="golden questions (YAML)")
    publishing.add_argument("--override", metavar="REASON", help="publish it although it is worse")
    return parser.parse_args(arguments)


def read_settings(path: Path) -> dict:
    try:
        given = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise CannotRun(f"{path} can't be read as YAML.") from error
    unknown = sorted(set(given) - set(NAMES)) if isinstance(given, dict) else [str(path)]
    if unknown:
        raise CannotRun(f"a chatbot has no setting {unknown[0]!r}; there are: {', '.join(NAMES)}.")
    return given


def draft(resource: dict, chatbot_id: str, settings: dict) -> int:
    """A version with these settings; the others as they are in use."""
    with connection_to(resource) as connection, connection.cursor() as cursor:
        in_use = rows(connection, IN_USE, {"chatbot_id": chatbot_id})
        if not in_use:
            raise CannotRun(f"there is no chatbot {chatbot_id}.")
        whole = json.dumps({**in_use[0], **settings}, default=float)
        cursor.execute(ADD, {"chatbot_id": chatbot_id, "settings": whole})
        (version,) = cursor.fetchone()
        connection.commit()
        return version


def publish(stage: Stage, version: int, cases: list[dict], override: str | None) -> None:
    """Raises CannotRun when fewer cases pass every time than with the words in use."""
    settings = settings_of(stage.resource, stage.chatbot_id, version)
    before = tried(stage, cases, None)
    after = tried(replace(stage, settings=settings), cases, version)
    if after.passed_every_time < before.passed_every_time and not override:
        raise CannotRun(
            f"version {version} passes {after.passed_every_time} of {len(cases)} golden questions"
            f" {TIMES} times out of {TIMES}, the words in use {before.passed_every_time}."
            ' --override "REASON" publishes it all the same, and records why.'
        )
    values = {
        "chatbot_id": stage.chatbot_id,
        "version": version,
        "published_by": getpass.getuser(),
        "override_reason": override,
    }
    columns = [name for name in NAMES if name in settings]
    copied = ", ".join(f"{name} = chosen.{name}" for name in columns)
    with connection_to(stage.resource) as connection, connection.cursor() as cursor:
        cursor.execute(RETIRE, values)
        cursor.execute(PUBLISH, values)
        cursor.execute(
            f"update chatbots set {copied} from jsonb_populate_record(null::chatbots, %s) as chosen"
            " where chatbots.id = %s",
            [json.dumps(settings), stage.chatbot_id],
        )
        connection.commit()


def tried(stage: Stage, cases: list[dict], version: int | None) -> Result:
    result = run_cases(stage, cases, TIMES)
    keep(stage, result, version)
    return result


def report(resource: dict, chatbot_id: str) -> None:
    values = {"chatbot_id": chatbot_id}
    with connection_to(resource) as connection:
        for one in rows(connection, VERSIONS, values):
            reason = f", although: {one['override_reason']}" if one["override_reason"] else ""
            print(f"version {one['version']}  {one['state']} of {one['created_at']}{reason}")
        (in_use,) = rows(connection, IN_USE, values)
    print(yaml.safe_dump(json.loads(json.dumps(in_use, default=float)), allow_unicode=True))
