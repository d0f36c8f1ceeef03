"""./chatmill webhooks: where an organization's own systems hear what happens in conversations."""

import argparse
import base64
import secrets

from f.ops.post_events import sealing_place
from f.ops.standard_webhooks import SECRET_PREFIX
from f.shared.crypto import seal
from f.shared.errors import InputRefused
from f.shared.web_addresses import read_url
from local.errors import CannotRun
from local.migrations import connection_to, migrate
from local.places import STATE
from local.postgres import open_postgres
from local.secrets_file import load_secrets
from local.whose import the_organization

ADD = """
insert into webhook_endpoints (id, organization_id, url, sealed_secret) values (%s, %s, %s, %s)
"""
LIST = """
select endpoints.id::text, organizations.name, endpoints.url,
       case when not endpoints.is_active then 'switched off'
            when endpoints.failing_since is not null
              then 'failing since ' || to_char(endpoints.failing_since, 'YYYY-MM-DD HH24:MI')
            else 'ok' end,
       count(events.id) filter (where events.state = 'waiting')::text
  from webhook_endpoints as endpoints
  join organizations on organizations.id = endpoints.organization_id
  left join outgoing_events as events on events.endpoint_id = endpoints.id
 group by endpoints.id, organizations.name order by endpoints.created_at
"""


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    with open_postgres(STATE) as postgres:
        migrate(postgres.resource)
        if options.action == "add":
            key = load_secrets(STATE).sealing_key
            endpoint_id, secret = add(postgres.resource, key, options.url, options.organization)
            print(f"endpoint  {endpoint_id}\nsecret    {secret}\nIt is shown this once.")
        elif options.action == "remove":
            remove(postgres.resource, options.endpoint)
        else:
            print(listed(postgres.resource))
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chatmill webhooks", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    adding = actions.add_parser("add", help="post events to an address, signed")
    adding.add_argument("url", help="https://... of the organization's own")
    adding.add_argument("--organization", default="", help="name or id, where there are several")
    actions.add_parser("list", help="every endpoint, and what waits for it")
    removing = actions.add_parser("remove", help="post no more events there")
    removing.add_argument("endpoint", help="its id")
    return parser.parse_args(arguments)


def add(resource: dict, sealing_key: str, url: str, organization: str) -> tuple[str, str]:
    """The endpoint's id, and the secret that signs what is posted there."""
    try:
        target = read_url(url)
    except InputRefused as error:
        raise CannotRun("the address is not a public one.") from error
    if target.scheme != "https":
        raise CannotRun("the address begins with https://: events hold what contacts wrote.")
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()
    with connection_to(resource) as connection, connection.cursor() as cursor:
        organization_id = the_organization(connection, organization)
        cursor.execute("select gen_random_uuid()::text")
        (endpoint_id,) = cursor.fetchone()
        sealed = seal(sealing_key, secret, sealing_place(endpoint_id))
        cursor.execute(ADD, (endpoint_id, organization_id, url, sealed))
        connection.commit()
    return endpoint_id, secret


def remove(resource: dict, endpoint_id: str) -> None:
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute("delete from webhook_endpoints where id::text = %s", [endpoint_id])
        if not cursor.rowcount:
            raise CannotRun("there is no such endpoint.")
        connection.commit()


def listed(resource: dict) -> str:
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(LIST)
        lines = [
            f"{endpoint_id}  {organization}: {url}\n    {state}, {waiting} waiting"
            for endpoint_id, organization, url, state, waiting in cursor
        ]
    return "\n".join(lines) or "there is no endpoint."
