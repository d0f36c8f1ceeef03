"""What the server takes for JSON is what Windmill's server takes."""

import pytest

from runner.strict_json import InvalidJson, parse


@pytest.mark.parametrize(
    "body",
    [
        b'{"x": NaN}',
        b'{"x": Infinity}',
        b'{"x": -Infinity}',
        b'{"x": 1e999}',
        b'{"x": 1} trailing',
        b"{'x': 1}",
        b'{"x": 1,}',
        b'{"x": "a\nb"}',
        b'{"x": "\xff"}',
        b"\xef\xbb\xbf{}",
        b"[" * 129 + b"]" * 129,
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000,
        b'{"x": ' + b"9" * 5000 + b"}",
        b'"',
        b"[" + b"[]," * 200_000 + b"1]",
    ],
)
def test_what_is_not_json_is_refused_with_a_reason(body):
    with pytest.raises(InvalidJson) as refusal:
        parse(body)

    assert str(refusal.value)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"x": 1, "x": 2}', {"x": 2}),
        (b'{"x": "\\u0000"}', {"x": "\0"}),
        (b'{"x": "\\ud83d\\ude00"}', {"x": "\U0001f600"}),
        (b'{"x": "broken \\ud83d"}', {"x": "broken \ud83d"}),
        (b' [1, 2.5, null, true, "\xc3\xa9"] ', [1, 2.5, None, True, "é"]),
        (b'"' + b"[" * 200 + b'"', "[" * 200),
    ],
)
def test_what_is_json_is_read(body, value):
    assert parse(body) == value


def test_128_levels_are_not_too_many():
    assert parse(b"[" * 128 + b"]" * 128)


def test_the_reason_is_worded_as_windmill_words_it():
    with pytest.raises(InvalidJson, match="key must be a string at line 1 column 2"):
        parse(b"{bad")
