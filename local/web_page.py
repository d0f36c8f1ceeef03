"""The web chat page at /, with a policy under which only its own script runs."""

import base64
import hashlib
import re

from starlette.responses import HTMLResponse
from starlette.routing import Route

from local.places import ROOT

PAGE = ROOT / "local" / "web_chat.html"


def page_route(url_key: str) -> Route:
    html = PAGE.read_text().replace("{{channel}}", url_key)
    headers = {
        "Content-Security-Policy": policy(html),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }

    async def page(request) -> HTMLResponse:
        return HTMLResponse(html, headers=headers)

    return Route("/", page)


def policy(html: str) -> str:
    return (
        f"default-src 'none'; connect-src 'self'; script-src {hash_of('script', html)};"
        f" style-src {hash_of('style', html)}; img-src data:; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'self'"
    )


def hash_of(tag: str, html: str) -> str:
    content = re.search(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)[1]
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
