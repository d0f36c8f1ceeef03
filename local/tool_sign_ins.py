"""Our name at an authorization server, and contacts who are to be signed in no more."""

import json

from f.agent.oauth import Tokens, revoke
from f.agent.oauth_terms import Terms
from f.agent.sign_ins import opened_client, secret_place, tokens_place
from f.shared.crypto import open_sealed, seal
from f.shared.errors import UpstreamError
from local.errors import CannotRun
from local.migrations import connection_to
from local.tool_approvals import server_of

CALLBACK_PATH = "/api/r/chatmill/contacts/signed-in"

ENTER = """
insert into tool_clients (tool_server_id, organization_id, issuer, client_id, sealed_secret)
values (%s, %s, %s, %s, %s)
    on conflict on constraint tool_clients_pkey do update
   set issuer = excluded.issuer, client_id = excluded.client_id,
       sealed_secret = excluded.sealed_secret, known_since = now()
"""
# Also who came back and did not write the code yet: written after this, it would sign them in.
SIGNED_IN = """
select kept.organization_id::text, contact_id::text, tool_server_id::text, terms, sealed_tokens,
       client_id, sealed_secret
  from (
    select organization_id, contact_id, tool_server_id, terms, sealed_tokens from contact_tokens
     union all
    select organization_id, contact_id, tool_server_id, terms, sealed_tokens from sign_ins
     where sealed_tokens is not null
  ) as kept
  join contacts on contacts.id = contact_id
  join tool_clients using (tool_server_id)
 where tool_server_id = %(server_id)s and contacts.contact_key = coalesce(%(contact)s, contact_key)
"""
FORGET = """
with signed_out as (
  select id from contacts where contact_key = coalesce(%(contact)s, contact_key)
), forgotten as (
  delete from sign_ins
   where tool_server_id = %(server_id)s and contact_id in (select id from signed_out)
)
delete from contact_tokens
 where tool_server_id = %(server_id)s and contact_id in (select id from signed_out)
"""


def callback_at(public_url: str) -> str:
    if not public_url.startswith("https://"):
        raise CannotRun("the address where contacts come back to has to begin with https://.")
    return public_url.rstrip("/") + CALLBACK_PATH


def enter_client(
    resource: dict,
    sealing_key: str,
    server: str,
    issuer: str,
    client_id: str,
    secret: str,
    organization: str | None = None,
) -> None:
    server_id, organization_id, *_ = server_of(resource, server, organization)
    sealed = seal(sealing_key, secret, secret_place(server_id)) if secret else None
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(ENTER, [server_id, organization_id, issuer, client_id, sealed])
        connection.commit()


def sign_out(
    resource: dict,
    sealing_key: str,
    server: str,
    contact: str | None,
    organization: str | None = None,
) -> tuple[int, int]:
    """How many contacts were signed out, and of how many the server took notice."""
    server_id, *_ = server_of(resource, server, organization)
    which = {"server_id": server_id, "contact": contact}
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(SIGNED_IN, which)
        rows = cursor.fetchall()
        cursor.execute(FORGET, which)
        connection.commit()
    contacts = {contact_id for _, contact_id, *_ in rows}
    unheard = {row[1] for row in rows if not _is_revoked(sealing_key, *row)}
    return len(contacts), len(contacts - unheard)


def _is_revoked(
    sealing_key: str, organization_id, contact_id, server_id, terms, sealed, client_id, secret
) -> bool:
    place = tokens_place(organization_id, contact_id, server_id)
    tokens = Tokens(**json.loads(open_sealed(sealing_key, sealed, place)))
    client = opened_client(sealing_key, server_id, client_id, secret)
    try:
        revoke(Terms(**terms), client, tokens)
    except UpstreamError:
        return False  # ours are gone all the same
    return True
