"""The widget by keys, by ear, in each language, on every screen and beside any style."""

import re

import pytest

import f.channels.command_words as command_words
from local.web_widget import FOLDER
from tests.local.browser import PROGRAM
from tests.local.shop_page import SENT, picture
from tests.local.web_chat import answered

pytestmark = pytest.mark.skipif(not PROGRAM, reason="no Chromium here: apt-get install chromium")


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
