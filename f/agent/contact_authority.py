"""The token with which a contact's own rights are used at an MCP server, or a link to get one."""

import json
import secrets
import time

import f.agent.oauth as oauth
import f.agent.sign_ins as sign_ins
from f.agent.approved_tool import ApprovedTool
from f.agent.oauth import Client, Tokens
from f.agent.oauth_terms import Terms, read_terms
from f.agent.tool_context import ToolContext
from f.shared.crypto import open_sealed, seal
from f.shared.db import again_while_away
from f.shared.errors import SignInNeeded, ToolFailed, UpstreamDown, UpstreamRefused

STATE_BYTES = 32
VERIFIER_BYTES = 48
# Before another turn's renewal is believed not to come any more.
LOOKS_AFTER_SECONDS = (0, 1)

READ_TOKENS = """
select terms, sealed_tokens from contact_tokens where contact_id = %s and tool_server_id = %s
"""
KEEP_RENEWED = "select keep_renewed_tokens(%s, %s, %s, %s)"
# Only what was refused: another turn may have put newer ones in their place.
FORGET = """
delete from contact_tokens where contact_id = %s and tool_server_id = %s and sealed_tokens = %s
"""
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
    """Of the turn's contact at the server of one tool, for one call of it."""

    def __init__(self, tool: ApprovedTool, context: ToolContext):
        self._server_id = tool.server_id
        self._server_url = tool.server_url
        self._context = context
        place = (context.organization_id, context.contact_id, tool.server_id)
        self._place = sign_ins.tokens_place(*place)
        self._sealed = ""  # the tokens as they were read last

    def token(self) -> str:
        """Raises SignInNeeded with what the contact is asked, ToolFailed."""
        terms, tokens = self._read()
        return (self._renewed(terms, tokens) if tokens.is_over else tokens).access_token

    def token_after_refusal(self) -> str:
        """Of the one that was given: the server takes it no more, whenever it should have ended."""
        refused = self._sealed
        terms, tokens = self._read()
        is_another = self._sealed != refused and not tokens.is_over
        return (tokens if is_another else self._renewed(terms, tokens)).access_token

    def asked(self) -> SignInNeeded:
        """To be raised. What was read last is forgotten: it is not taken any more."""
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
            cursor.execute(FORGET, (self._context.contact_id, self._server_id, self._sealed))
            sign_ins.ask(cursor, self._context, self._server_id, terms, state, verifier)
        link = oauth.link(terms, client, callback_url, state, verifier)
        words = self._context.sign_in_request
        return SignInNeeded(words.replace("{server}", name).replace("{link}", link))

    def _read(self) -> tuple[Terms, Tokens]:
        found = self._find()
        if found is None:
            self._sealed = ""
            raise self.asked()
        terms, self._sealed = found
        return terms, self._opened(self._sealed)

    def _find(self) -> tuple[Terms, str] | None:
        with self._context.open_transaction() as conn, conn.cursor() as cursor:
            cursor.execute(READ_TOKENS, (self._context.contact_id, self._server_id))
            row = cursor.fetchone()
        return row and (Terms(**row[0]), row[1])

    def _opened(self, sealed: str) -> Tokens:
        return Tokens(**json.loads(open_sealed(self._context.sealing_key, sealed, self._place)))

    def _renewed(self, terms: Terms, tokens: Tokens) -> Tokens:
        if not tokens.refresh_token:
            raise self.asked()
        try:
            _, _, client = self._client(terms)
            renewed = oauth.refresh(terms, client, tokens)
        except UpstreamRefused:
            return self._renewed_by_another()
        except UpstreamDown as error:
            raise ToolFailed("the system behind this tool did not answer") from error
        self._keep(renewed)
        return renewed

    def _keep(self, renewed: Tokens) -> None:
        """Also where the turn was lost meanwhile: what was spent for them is worth nothing more."""
        again = seal(self._context.sealing_key, renewed.text(), self._place)
        values = (self._context.contact_id, self._server_id, self._sealed, again)

        def write() -> None:
            with self._context.open_any() as conn, conn.cursor() as cursor:
                cursor.execute(KEEP_RENEWED, values)

        again_while_away(write)
        self._sealed = again

    def _renewed_by_another(self) -> Tokens:
        """A token to renew with is good for once: another turn of this contact's may have spent it,
        and then keeps what it got for it in this moment."""
        for seconds in LOOKS_AFTER_SECONDS:
            time.sleep(seconds)
            found = self._find()
            if found and found[1] != self._sealed:
                self._sealed = found[1]
                return self._opened(self._sealed)
        raise self.asked()

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
