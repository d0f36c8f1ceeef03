"""Which step of the way to a vendor's API fails: name, connection, TLS or proxy."""

import os
import socket
import ssl
from urllib.parse import urlsplit

import urllib3

PATIENCE_SECONDS = 5


def failing_step(url: str) -> str:
    """In words; asks each step by itself, in the order in which a call takes them."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    name = f"{parts.scheme}_proxy"
    proxy = os.environ.get(name) or os.environ.get(name.upper())
    if proxy:
        host, port = urlsplit(proxy).hostname or "", urlsplit(proxy).port or 80
    through = f"through the proxy {host}:{port}" if proxy else f"{host}:{port}"
    try:
        socket.getaddrinfo(host, port)
    except OSError:
        return f"DNS: the name {host} is not found"
    try:
        with socket.create_connection((host, port), PATIENCE_SECONDS) as connection:
            if parts.scheme == "https" and not proxy:
                ssl.create_default_context().wrap_socket(connection, server_hostname=host).close()
    except ssl.SSLError as error:
        return f"TLS: {error.reason or 'no agreement'} at {through}; is there a proxy in between?"
    except OSError:
        return f"TCP: no connection to {through}"
    return _http(url, through)


def _http(url: str, through: str) -> str:
    try:
        status = urllib3.request("GET", url, timeout=PATIENCE_SECONDS, retries=False).status
    except urllib3.exceptions.HTTPError as error:
        return f"HTTP: no answer from {through} ({type(error).__name__})"
    return f"HTTP: {through} answers {status} now; try again"
