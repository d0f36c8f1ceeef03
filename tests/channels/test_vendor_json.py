"""Bodies that are no JSON, bad JSON, or JSON of any shape at all."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f.channels.messages import Ignored, InboundMessage, Request, WebhookRefused
from f.channels.vendor_json import identifier, load, timestamp, words
from f.channels.whatsapp import parse

NOT_JSON = {
    "nothing": b"",
    "a form": b"a=1&b=2",
    "cut off": b'{"object":"whatsapp_business_acc',
    "trailing data": b"{} {}",
    "NaN": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "a key twice": b'{"entry": [], "entry": []}',
    "not UTF-8": b'{"a": "\xff"}',
    "a raw control character": b'{"a": "\x00"}',
}

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["text", "image", "interactive", "button", "order", "location", "ABC.1"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
KINDS = ("text", "image", "interactive", "button", "order", "location", "contacts", "system")
message = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS) | anything},
    optional={
        **dict.fromkeys(KINDS, anything | st.fixed_dictionaries({"body": anything})),
        **dict.fromkeys(("id", "from", "from_user_id", "timestamp", "context", "errors"), anything),
        "group_id": anything,
    },
)
value = st.fixed_dictionaries(
    {
        "metadata": st.just({"phone_number_id": "360000000000001"}) | anything,
        "messages": st.lists(message | anything, max_size=4),
    },
    optional=dict.fromkeys(
        ("contacts", "statuses", "message_echoes", "standby", "recipient"),
        anything | st.lists(st.fixed_dictionaries({"id": anything, "status": anything})),
    ),
)


@pytest.mark.parametrize("fault", NOT_JSON)
def test_w12_t03_t07_what_is_not_json_is_refused(fault):
    with pytest.raises(WebhookRefused) as refused:
        parse(Request(NOT_JSON[fault]))

    assert (refused.value.status, refused.value.code) == (400, "body_not_json")


@pytest.mark.parametrize("levels", [513, 10_000, 200_000])
@pytest.mark.parametrize("opening, closing", [(b"[", b"]"), (b'{"a":', b"}")])
def test_w12_deep_nesting_is_refused(opening, closing, levels):
    with pytest.raises(WebhookRefused) as refused:
        parse(Request(opening * levels + b"1" + closing * levels))

    assert (refused.value.status, refused.value.code) == (400, "body_too_deep")


def _levels(value: object) -> int:
    return 1 + _levels(value["a"]) if isinstance(value, dict) else 0


@pytest.mark.parametrize("levels", [128, 129, 500])
def test_what_is_deeper_than_anybody_reads_costs_that_part_alone(levels):
    body = b'{"deep": ' + b'{"a":' * (levels - 1) + b"1" + b"}" * (levels - 1) + b', "text": "Hi"}'

    found = load(body)

    assert (_levels(found["deep"]), found["text"]) == (min(levels, 128) - 1, "Hi")


def test_a_key_twice_in_a_part_keeps_the_last_as_windmill_does():
    assert load(b'[{"a": 1, "a": 2}]') == [{"a": 2}]


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 5000])
def test_t07_a_number_that_no_machine_has_stays_what_was_written(number):
    assert load(f'{{"a": [{number}, 1]}}'.encode()) == {"a": [number, 1]}


def test_a_hundred_and_twenty_seven_levels_and_a_byte_order_mark_are_fine():
    assert load(b"\xef\xbb\xbf" + b"[" * 127 + b"]" * 127)


@given(anything)
@settings(deadline=None)
def test_any_json_at_all_comes_out_as_something_ignored(body):
    [delivery] = parse(Request(json.dumps(body).encode()))

    assert all(isinstance(item, Ignored) for item in delivery.items)


@given(value, st.sampled_from(["messages", "smb_message_echoes", "standby", "messaging_handovers"]))
@settings(deadline=None)
def test_every_message_of_any_shape_is_accounted_for(value, field):
    items = _parse_value(value, field)

    least = len(value["messages"]) if field == "messages" else 1
    assert len(items) >= max(1, least)


@given(value)
@settings(deadline=None)
def test_whatever_is_read_can_be_stored(value):
    for item in _parse_value(value, "messages"):
        assert "\0" not in repr(item)
        repr(item).encode()
        if isinstance(item, InboundMessage):
            assert 0 < len(item.provider_message_id) <= 512
            assert 0 < len(item.contact_key) <= 512
            json.dumps(item.media)


def test_t01_t02_a_nul_is_dropped_and_a_lone_surrogate_is_replaced():
    raw = rb'{"a": "he\u0000llo \ud83d and \ud83d\ude00"}'

    assert words(load(raw)["a"]) == "hello � and 😀"


def test_t05_a_text_of_four_megabytes_is_cut():
    assert len(words("long " * 800_000)) == 65_536
    assert words("abcdef", limit=4) == "abc…"


def test_t06_an_id_is_text_or_a_whole_number_and_not_too_long():
    assert identifier(16505551234) == "16505551234"
    assert identifier("a" * 512) == "a" * 512
    for unusable in ("", "a" * 8192, True, None, 1.5, ["1"], "\0"):
        assert identifier(unusable) is None


def test_a_time_may_be_text_or_number_and_nonsense_is_none():
    assert timestamp("1790000001") == timestamp(1790000001)
    for nonsense in ("", "-1", "soon", "9" * 20, "٣", None, True, 1.5):
        assert timestamp(nonsense) is None


def _parse_value(value: object, field: str) -> list:
    change = {"field": field, "value": value}
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [change]}]}
    return [
        item for delivery in parse(Request(json.dumps(body).encode())) for item in delivery.items
    ]
