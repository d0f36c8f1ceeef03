"""The one HTTP client; the one place where its errors become ours."""

import json as jsonlib
import re
import ssl
from dataclasses import dataclass
from urllib.parse import urlencode

import urllib3  # pin: urllib3==2.8.0

from f.shared.errors import (
    DeliveryUnknown,
    Misconfigured,
    UpstreamBusy,
    UpstreamDown,
    UpstreamError,
    UpstreamRefused,
)

# One pool a process: keep-alive saves a TCP and TLS handshake on every call after the first.
_pool = urllib3.PoolManager(
    num_pools=50, maxsize=64, retries=False, headers={"user-agent": "chatmill"}
)

NOTHING_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
)
MAX_ANSWER_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> object:
        """Raises UpstreamDown when the body is not JSON."""
        try:
            return jsonlib.loads(self.body)
        except ValueError as error:
            raise UpstreamDown("the answer is not JSON", status=self.status) from error


def request(
    method: str,
    url: str,
    headers: dict[str, str] | None = None,
    json: object = None,
    form: dict[str, str] | None = None,
    body: bytes | None = None,
    timeout_seconds: float = 10,
) -> Response:
    """One call, never retried here: the flow retries what is safe to repeat.

    `body` is sent as it is, of the type that `headers` tell.
    Raises UpstreamDown (not reached, or 5xx), DeliveryUnknown (sent, and no whole answer came),
    UpstreamBusy (429), UpstreamRefused (other 4xx). Those with an answer carry its `status`,
    `body` and `retry_after_seconds`, for the caller that knows the vendor's codes.
    """
    if not url.startswith(("https://", "http://")):
        raise Misconfigured("a resource holds an address that starts with neither https nor http")
    headers = dict(headers or {})
    if json is not None:
        headers["content-type"] = "application/json"
        body = jsonlib.dumps(json).encode()
    if form is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
        body = urlencode(form).encode()
    return _checked(url, _call(method, url, headers, body, timeout_seconds))


def _call(method: str, url: str, headers: dict, body: bytes | None, timeout_seconds: float):
    try:
        answer = _pool.request(
            method,
            url,
            body=body,
            headers=headers,
            timeout=urllib3.Timeout(connect=min(5, timeout_seconds), read=timeout_seconds),
            redirect=False,
            preload_content=False,
        )
        try:
            content = answer.read(MAX_ANSWER_BYTES + 1)
        finally:
            answer.release_conn()
    except urllib3.exceptions.LocationValueError as error:
        raise Misconfigured("a resource holds an address that is no URL") from error
    except NOTHING_SENT as error:
        raise UpstreamDown(f"{_origin(url)} can't be reached") from error
    except urllib3.exceptions.SSLError as error:
        # Also raised in the middle of an answer; only a refused certificate comes before we speak.
        was_refused = isinstance(error.args[0], ssl.SSLCertVerificationError)
        raise (UpstreamDown if was_refused else DeliveryUnknown)(
            f"{_origin(url)} and we could not agree on TLS"
        ) from error
    except urllib3.exceptions.HTTPError as error:
        raise DeliveryUnknown(f"{_origin(url)} gave no whole answer") from error
    if len(content) > MAX_ANSWER_BYTES:
        raise UpstreamRefused(f"{_origin(url)} answered more than {MAX_ANSWER_BYTES} bytes")
    return Response(answer.status, {k.lower(): v for k, v in answer.headers.items()}, content)


def _checked(url: str, response: Response) -> Response:
    if response.status < 400:
        return response
    raise _error_class(response.status)(
        f"{_origin(url)} answered {response.status}",
        status=response.status,
        body=response.body,
        retry_after_seconds=_seconds(response.headers.get("retry-after", "")),
    )


def _seconds(text: str) -> int | None:
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None


def _error_class(status: int) -> type[UpstreamError]:
    if status >= 500:
        return UpstreamDown
    return UpstreamBusy if status == 429 else UpstreamRefused


def _origin(url: str) -> str:
    parts = urllib3.util.parse_url(url)
    return f"{parts.scheme}://{parts.host}"
