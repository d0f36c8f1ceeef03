"""robots.txt as RFC 9309 has it."""

import pytest

from f.knowledge.robots import may_read

EVERYBODY = "User-agent: *\n"


@pytest.mark.parametrize(
    ("content", "path", "is_allowed"),
    [
        ("", "/a", True),
        (EVERYBODY + "Disallow: /", "/a", False),
        (EVERYBODY + "Disallow:", "/a", True),
        (EVERYBODY + "Disallow: /a", "/ab?c", False),
        (EVERYBODY + "Disallow: /a", "/b", True),
        (EVERYBODY + "Disallow: /a\nAllow: /a/b", "/a/b/c", True),
        (EVERYBODY + "Disallow: /a\nAllow: /a", "/a", True),
        (EVERYBODY + "Disallow: /*.pdf$", "/x/y.pdf", False),
        (EVERYBODY + "Disallow: /*.pdf$", "/x/y.pdf?z", True),
        (EVERYBODY + "Disallow: /*/private", "/a/private", False),
        (EVERYBODY + "Disallow: /a$", "/a", False),
        (EVERYBODY + "Disallow: /a$", "/ab", True),
        (EVERYBODY + "Disallow: /caf%C3%A9", "/caf%c3%a9", False),
        (EVERYBODY + "Disallow: /\n\nUser-agent: ChatMill\nAllow: /", "/a", True),
        ("User-agent: other\nDisallow: /", "/a", True),
        ("User-agent: other\nUser-agent: *\nDisallow: /a", "/a", False),
        ("user-AGENT : * # all\nDISALLOW : /a # this", "/a", False),
        ("Disallow: /", "/a", True),
        (EVERYBODY + "Disallow: /robots.txt", "/robots.txt", True),
        ("\ufeffUser-agent: *\nDisallow: /", "/a", False),
        ("User-agent: chatmill/1.0\nDisallow: /a", "/a", False),
        ("User-agent: chatmill\nDisallow:\n\n" + EVERYBODY + "Disallow: /", "/a", True),
    ],
)
def test_the_longest_rule_for_us_decides(content, path, is_allowed):
    assert may_read(content, path) is is_allowed


def test_a_hostile_rule_takes_no_time():
    content = EVERYBODY + "Disallow: /" + "*a" * 2000 + "\n" + "Disallow: /x\n" * 50_000

    assert may_read(content, "/" + "a" * 1999 + "b")


@pytest.mark.parametrize(
    "content",
    [
        EVERYBODY + "Disallow: /x" + " " * 400_000 + "x",
        EVERYBODY * 10_000 + "Disallow: /x\n" * 20_000,
        "".join(f"User-agent: {n}\n" for n in range(10_000)) + "Disallow: /\n" * 20_000,
    ],
    ids=["spaces", "the same name", "names"],
)
@pytest.mark.timeout(10)
def test_a_hostile_file_takes_no_time(content):
    assert may_read(content, "/a")
