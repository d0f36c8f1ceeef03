"""The rows of contacts who sign in at an MCP server, and of the tokens that come of it.

Whoever opens a link could be talked into it by somebody else. So signing in gives a code, and the
tokens are the contact's only when that code is written in the chat that sent the link.
"""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field

from f.agent.oauth import Client, Tokens
from f.agent.oauth_terms import Terms
from f.shared.crypto import open_sealed, seal

# No letter or digit that is taken for another.
LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
CODE_LETTERS = 10  # 49 bits: nobody guesses one within its quarter of an hour

ASK = """
insert into sign_ins (
  state_sha256, organization_id, contact_id, turn_id, tool_server_id, terms, sealed_verifier
)
select %(state_sha256)s, organization_id, %(contact_id)s, id, %(server_id)s, %(terms)s,
       %(sealed_verifier)s
  from turns where id = %(turn_id)s
"""
TAKE = """
with taken as (
  update sign_ins set state = 'returned'
   where state_sha256 = %(state_sha256)s and state = 'asked' and expires_at > now()
  returning *
)
select taken.organization_id::text, taken.contact_id::text, taken.tool_server_id::text,
       taken.terms, taken.sealed_verifier, tool_servers.callback_url, tool_clients.client_id,
       tool_clients.sealed_secret, chatbots.signed_in_notice, chatbots.failure_notice
  from taken
  join tool_servers on tool_servers.id = taken.tool_server_id and tool_servers.is_active
  join tool_clients on tool_clients.tool_server_id = tool_servers.id
  join turns on turns.id = taken.turn_id
  join conversations on conversations.id = turns.conversation_id
  join channels on channels.id = conversations.channel_id
  join chatbots on chatbots.id = channels.chatbot_id
"""
KEEP = """
update sign_ins set state = 'signed_in', sealed_tokens = %(sealed_tokens)s, sealed_verifier = '',
       code_sha256 = %(code_sha256)s
 where state_sha256 = %(state_sha256)s and state = 'returned'
"""

CONFIRM = """
with confirmed as (
  update sign_ins set state = 'confirmed', confirmed_turn_id = %(turn_id)s
   where contact_id = %(contact_id)s and code_sha256 = %(code_sha256)s
     and (state = 'signed_in' and expires_at > now() or confirmed_turn_id = %(turn_id)s)
  returning *
), moved as (
  insert into contact_tokens (contact_id, tool_server_id, organization_id, terms, sealed_tokens)
  select contact_id, tool_server_id, organization_id, terms, sealed_tokens
    from confirmed where sealed_tokens is not null
      on conflict on constraint contact_tokens_pkey do update
     set terms = excluded.terms, sealed_tokens = excluded.sealed_tokens, confirmed_at = now()
)
select turn_id::text from confirmed
"""
FORGET_MOVED = "update sign_ins set sealed_tokens = null where confirmed_turn_id = %s"


@dataclass(frozen=True)
class Returned:
    """A contact whose browser came back, and to whom nobody else can come back."""

    organization_id: str
    contact_id: str
    server_id: str
    terms: Terms
    verifier: str = field(repr=False)
    callback_url: str
    client: Client
    signed_in_notice: str
    failure_notice: str


def ask(cursor, context, server_id: str, terms: Terms, state: str, verifier: str) -> None:
    digest = sha256_of(state)
    values = {
        "state_sha256": digest,
        "contact_id": context.contact_id,
        "turn_id": context.turn_id,
        "server_id": server_id,
        "terms": json.dumps(asdict(terms)),
        "sealed_verifier": seal(context.sealing_key, verifier, verifier_place(digest)),
    }
    cursor.execute(ASK, values)


def take(conn, sealing_key: str, state: str) -> Returned | None:
    """Once: whoever brings the same state again gets None, like who brings an old one."""
    digest = sha256_of(state)
    with conn.cursor() as cursor:
        cursor.execute("select enter_sign_in(%s)", (digest,))
        if cursor.fetchone()[0] is None:
            return None
        cursor.execute(TAKE, {"state_sha256": digest})
        row = cursor.fetchone()
    if row is None:
        return None
    organization_id, contact_id, server_id, terms, verifier, callback_url, *client, done, no = row
    return Returned(
        organization_id,
        contact_id,
        server_id,
        Terms(**terms),
        open_sealed(sealing_key, verifier, verifier_place(digest)),
        callback_url,
        opened_client(sealing_key, server_id, *client),
        done,
        no,
    )


def new_code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))


def keep(
    conn, sealing_key: str, state: str, returned: Returned, tokens: Tokens, code: str
) -> str | None:
    """The code as the contact has to write it; None when they were signed out meanwhile. Run twice,
    it keeps once."""
    digest = sha256_of(state)
    place = tokens_place(returned.organization_id, returned.contact_id, returned.server_id)
    values = {
        "state_sha256": digest,
        "sealed_tokens": seal(sealing_key, tokens.text(), place),
        "code_sha256": sha256_of(code),
    }
    with conn.cursor() as cursor:
        cursor.execute("select enter_sign_in(%s)", (digest,))
        if cursor.fetchone()[0] is None:
            return None
        cursor.execute(KEEP, values)
    return f"{code[:5]}-{code[5:]}"


def confirm(cursor, turn_id: str, contact_id: str, code: str) -> str | None:
    """The turn that asked the contact who writes this code to sign in; None: it is no such code."""
    values = {"turn_id": turn_id, "contact_id": contact_id, "code_sha256": sha256_of(code)}
    cursor.execute(CONFIRM, values)
    row = cursor.fetchone()
    cursor.execute(FORGET_MOVED, (turn_id,))
    return row[0] if row else None


def opened_client(
    sealing_key: str, server_id: str, client_id: str, sealed_secret: str | None
) -> Client:
    if not sealed_secret:
        return Client(client_id)
    return Client(client_id, open_sealed(sealing_key, sealed_secret, secret_place(server_id)))


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def verifier_place(state_sha256: str) -> str:
    return f"sign_ins.sealed_verifier:{state_sha256}"


def tokens_place(organization_id: str, contact_id: str, server_id: str) -> str:
    return f"contact_tokens.sealed_tokens:{organization_id}:{contact_id}:{server_id}"


def secret_place(server_id: str) -> str:
    return f"tool_clients.sealed_secret:{server_id}"
