"""Another website's page, which styles and forbids what it can, with the widget in it."""

import os
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.web_widget import page_route, script, widget_route
from tests.local.web_chat import KEY

SHOP = """<!doctype html><html lang="{lang}" dir="{dir}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<style>* {{ font-size: 31px !important; color: lime !important; }}
div, section, ul {{ display: none }} h1 {{ display: block }}</style>
<h1>A shop</h1><button id="before">Buy</button>
<script src="{src}" data-embed-key="{key}" {more}></script>"""
SENT = "chat.querySelector('.mine') && !chat.querySelector('.mine .state')"
# With PICTURES=folder the tests leave what they saw there.
PICTURES = os.environ.get("PICTURES")


async def shop(request: Request) -> HTMLResponse:
    port = request.url.port
    src = f"http://127.0.0.1:{port}/widget.js"
    chosen = {"lang": "en", "dir": "ltr", "more": "", "src": src, **request.query_params}
    found = SHOP.format(key=KEY, **chosen)
    policy = (
        f"default-src 'none'; script-src 'self' http://127.0.0.1:{port};"
        f" connect-src http://127.0.0.1:{port}; style-src 'unsafe-inline'"
    )
    return HTMLResponse(found, headers={"content-security-policy": policy})


async def copy(request: Request) -> Response:
    return Response(script(), media_type="text/javascript")


ROUTES = [Route("/shop", shop), Route("/copy.js", copy), widget_route(), page_route(KEY)]


def lines(tab) -> list[str]:
    return tab.run("return [...chat.querySelectorAll('.bubble')].map((each) => each.innerText)")


def picture(tab, name: str) -> None:
    if PICTURES:
        tab.picture(Path(PICTURES) / f"{name}.png")
