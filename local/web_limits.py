"""How much a session, an address and a whole channel may ask of the web chat."""

import hashlib
import hmac
from collections.abc import Callable
from ipaddress import ip_address

from starlette.requests import Request

import f.channels.web_sessions as web_sessions
from f.channels.accounts import Account
from f.channels.web_sessions import Bucket, Session
from local.web_refusals import TooManyRequests


class Limits:
    """One busy visitor must not starve the others, nor one website the other organizations'.

    `proxies`: how many of the operator's own stand in front; what others claim is not believed.
    """

    def __init__(self, ask: Callable, sealing_key: str, proxies: int):
        self._ask, self._key, self._proxies = ask, sealing_key.encode(), proxies

    def look(self, request: Request, account: Account) -> None:
        self._take(account, Bucket(self._address(request), 10, 100))

    def start(self, request: Request, account: Account) -> None:
        own = Bucket(f"start:{self._address(request)}", 0.2, 20)
        self._take(account, own, Bucket("starts", 20, 200))

    def post(self, request: Request, account: Account, session: Session) -> None:
        own = Bucket(f"session:{session.id}", 0.5, 10)
        address = Bucket(self._address(request), 10, 100)
        self._take(account, own, address, Bucket("posts", 50, 300))

    def read(self, account: Account, session: Session) -> None:
        self._take(account, Bucket(f"read:{session.id}", 4, 40))

    def upload(self, request: Request, account: Account, session: Session) -> None:
        own = Bucket(f"upload:{session.id}", 0.05, 5)
        self._take(account, own, Bucket(f"upload:{self._address(request)}", 0.2, 20))

    def _take(self, account: Account, *buckets: Bucket) -> None:
        wait_seconds = self._ask(web_sessions.take_tokens, account.channel_id, buckets)
        if wait_seconds:
            raise TooManyRequests(wait_seconds)

    def _address(self, request: Request) -> str:
        """A hash with our key: whose rate it is has to be known, the address itself has not."""
        # A proxy may add a line of its own behind the one that the client made up.
        told = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        host = request.client.host if request.client else ""
        if self._proxies and len(told) >= self._proxies:
            host = told[-self._proxies].strip()
        return "ip:" + hmac.new(self._key, _line(host).encode(), hashlib.sha256).hexdigest()


def _line(host: str) -> str:
    """One connection to the internet: an IPv4 address, or a /64 of IPv6."""
    try:
        address = ip_address(host)
    except ValueError:
        return "unknown"
    address = getattr(address, "ipv4_mapped", None) or address  # what listens on :: sees so
    return str(address) if address.version == 4 else address.exploded[:19]
