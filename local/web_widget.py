"""The widget as one script for any page, and the page of this installation that shows it.

`./chatmill widget > widget.js` writes the same script for a static host.
"""

import base64
import hashlib
import html
import json
import re
import sys

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.places import ROOT

FOLDER = ROOT / "local" / "widget"
# In the order in which they need each other.
PARTS = ("words.js", "markdown.js", "connection.js", "view.js", "chat.js")
PAGE = ROOT / "local" / "web_chat.html"


def main(arguments: list[str]) -> int:
    """No options: what there is to choose stands in the script's tag."""
    sys.stdout.write(script())
    return 0


def script() -> str:
    """Everything in one function: nothing of it is seen by the page's own scripts."""
    style = f"const STYLE = {json.dumps((FOLDER / 'style.css').read_text())};"
    parts = [(FOLDER / name).read_text() for name in PARTS]
    return "\n".join(["(() => {", '"use strict";', style, *parts, "})();", ""])


def tag(server_url: str, embed_key: str) -> str:
    """What an organization puts into its pages."""
    src = html.escape(f"{server_url}/widget.js", quote=True)
    return (
        f'<script src="{src}" data-embed-key="{html.escape(embed_key, quote=True)}" async></script>'
    )


def widget_route() -> Route:
    content = script()
    headers = {
        "Cache-Control": "public, max-age=300",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
        "ETag": f'"{hashlib.sha256(content.encode()).hexdigest()[:16]}"',
    }

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="text/javascript", headers=headers)

    return Route("/widget.js", answer)


def page_route(url_key: str) -> Route:
    content = PAGE.read_text().replace("{{channel}}", html.escape(url_key, quote=True))
    headers = {
        "Content-Security-Policy": policy(content),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }

    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(content, headers=headers)

    return Route("/", page)


def policy(content: str) -> str:
    """As strict as any page's may be: the widget needs its script and its server."""
    style = re.search("<style>(.*?)</style>", content, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        "default-src 'none'; script-src 'self'; connect-src 'self';"
        f" style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'self'; require-trusted-types-for 'script'"
    )
