"""The token with which a contact's own rights are used at an MCP server, or a link to get one."""

import json
import secrets

import f.agent.oauth as oauth
import f.agent.sign_ins as sign_ins
from f.agent.approved_tool import ApprovedTool
from f.agent.oauth import Client, Tokens
from f.agent.oauth_terms import Terms, read_terms
from f.agent.tool_context import ToolContext
from f.shared.crypto import open_sealed, seal
from f.shared.errors import SignInNeeded, ToolFailed, UpstreamDown, UpstreamRefused

STATE_BYTES = 32
VERIFIER_BYTES = 48

READ_TOKENS = """
select terms, sealed_tokens from contact_tokens where contact_id = %s and tool_server_id = %s
"""
RENEW = """
update contact_tokens set sealed_tokens = %s
 where contact_id = %s and tool_server_id = %s and sealed_tokens = %s
"""
FORGET = "delete from contact_tokens where contact_id = %s and tool_server_id = %s"
READ_CLIENT = """
select name, issuer, client_id, sealed_secret, callback_url
  from tool_servers left join tool_clients on tool_server_id = id where id = %s
"""
# Of two turns that register at once the first one's name stays.
KEEP_CLIENT = """
insert into tool_clients (tool_server_id, organization_id, issuer, client_id, sealed_secret)
select id, organization_id, %s, %s, %s from tool_servers where id = %s
    on conflict on constraint tool_clients_pkey do nothing
"""
RAISE_ALERT = "select raise_alert(%s, 'error', 'sign_in_refused', %s, %s)"


class ContactAuthority:
    """Of the turn's contact at the server of one tool."""

    def __init__(self, tool: ApprovedTool, context: ToolContext):
        self._server_id = tool.server_id
        self._server_url = tool.server_url
        self._context = context
        place = (context.organization_id, context.contact_id, tool.server_id)
        self._place = sign_ins.tokens_place(*place)

    def token(self, was_refused: bool = False) -> str:
        """`was_refused`: the server takes the one that is kept no more, whenever it should have
        ended. Raises SignInNeeded with what the contact is asked, ToolFailed."""
        with self._context.open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(READ_TOKENS, (self._context.contact_id, self._server_id))
            row = cursor.fetchone()
        if row is None:
            raise self.asked()
        terms, sealed = Terms(**row[0]), row[1]
        tokens = Tokens(**json.loads(open_sealed(self._context.sealing_key, sealed, self._place)))
        if was_refused or tokens.is_over:
            tokens = self._renewed(terms, tokens, sealed)
        return tokens.access_token

    def asked(self) -> SignInNeeded:
        """To be raised. What is kept is forgotten: it is not taken any more."""
        state, verifier = (
            secrets.token_urlsafe(STATE_BYTES),
            secrets.token_urlsafe(VERIFIER_BYTES),
        )
        try:
            terms = read_terms(self._server_url)
            name, callback_url, client = self._client(terms)
        except UpstreamRefused as error:
            self._tell(str(error))
            raise ToolFailed("the customer can't sign in there just now") from error
        except UpstreamDown as error:
            raise ToolFailed("the system behind this tool did not answer") from error
        with self._context.open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(FORGET, (self._context.contact_id, self._server_id))
            sign_ins.ask(cursor, self._context, self._server_id, terms, state, verifier)
        link = oauth.link(terms, client, callback_url, state, verifier)
        words = self._context.sign_in_request
        return SignInNeeded(words.replace("{server}", name).replace("{link}", link))

    def _renewed(self, terms: Terms, tokens: Tokens, sealed: str) -> Tokens:
        if not tokens.refresh_token:
            raise self.asked()
        try:
            _, _, client = self._client(terms)
            renewed = oauth.refresh(terms, client, tokens)
        except UpstreamRefused:
            raise self.asked() from None
        except UpstreamDown as error:
            raise ToolFailed("the system behind this tool did not answer") from error
        again = seal(self._context.sealing_key, renewed.text(), self._place)
        with self._context.open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(RENEW, (again, self._context.contact_id, self._server_id, sealed))
        return renewed

    def _client(self, terms: Terms) -> tuple[str, str, Client]:
        """The server's name, where contacts come back to, and our name at its authorization
        server. Raises UpstreamRefused when that is another than the one that knows us."""
        name, issuer, callback_url, client = self._known_client()
        if client is None:
            client = oauth.register(terms, callback_url)
            self._keep_client(terms.issuer, client)
            name, issuer, callback_url, client = self._known_client()
        if issuer != terms.issuer:
            raise UpstreamRefused("it names another authorization server than before")
        return name, callback_url, client

    def _known_client(self) -> tuple[str, str | None, str, Client | None]:
        with self._context.open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(READ_CLIENT, (self._server_id,))
            name, issuer, client_id, secret, callback_url = cursor.fetchone()
        if client_id is None:
            return name, None, callback_url, None
        key = self._context.sealing_key
        client = sign_ins.opened_client(key, self._server_id, client_id, secret)
        return name, issuer, callback_url, client

    def _keep_client(self, issuer: str, client: Client) -> None:
        place = sign_ins.secret_place(self._server_id)
        secret = client.secret and seal(self._context.sealing_key, client.secret, place)
        with self._context.open_transaction() as conn, conn.cursor() as cursor:
            values = (issuer, client.client_id, secret or None, self._server_id)
            cursor.execute(KEEP_CLIENT, values)

    def _tell(self, why: str) -> None:
        summary = f"contacts can't sign in at MCP server {self._server_id}: {why}"
        with self._context.open_transaction() as conn, conn.cursor() as cursor:
            values = (self._context.organization_id, self._server_id, summary)
            cursor.execute(RAISE_ALERT, values)
