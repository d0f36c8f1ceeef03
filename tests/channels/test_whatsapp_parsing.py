"""What each WhatsApp webhook becomes: a table over the files in payloads/whatsapp."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from f.channels.messages import (
    Echo,
    Edit,
    Handover,
    Ignored,
    InboundMessage,
    Item,
    NewIdentity,
    Notice,
    Reaction,
    Receipt,
    Request,
    Revocation,
)
from f.channels.whatsapp import parse

PAYLOADS = Path(__file__).parent / "payloads" / "whatsapp"

OURS = "360000000000001"
ANNA = "4915550000101"

JUNK = (None, True, 0, -1e308, "", "x" * 9000, [], [[]], [None], {}, {"id": {}})

EXPECTED = {
    "account_notice": {None: ["notice account_update ACCOUNT_RESTRICTION"]},
    "button_reply": {OURS: [f"button of {ANNA}: Ja, bitte"]},
    "change_without_messages": {OURS: ["ignored empty:messages"]},
    "contacts": {OURS: [f"contacts of {ANNA}: "]},
    "document": {OURS: [f"media of {ANNA}: "]},
    "echo": {OURS: [f"echo to {ANNA}: Hier ist Mia vom Laden, ich kümmere mich"]},
    "echo_revoked": {OURS: ["echo to DE.7000000000000000001: "]},
    "edit": {OURS: ["edit"]},
    "entry_without_changes": {None: ["ignored no_field"]},
    "error_of_the_number": {OURS: ["notice account_error 130429"]},
    "field_of_the_future": {None: ["ignored field:quantum_events"]},
    "form": {OURS: [f"form of {ANNA}: size: 40\ncolour: blau"]},
    "form_not_json": {OURS: [f"form of {ANNA}: Sent"]},
    "handover": {OURS: ["handover"]},
    "image_not_downloaded": {OURS: [f"media of {ANNA}: "]},
    "image_with_caption": {OURS: [f"media of {ANNA}: So kam es an"]},
    "kind_of_the_future": {OURS: ["ignored unreadable:hologram"]},
    "list_reply": {OURS: [f"button of {ANNA}: Dienstag 15 Uhr"]},
    "location": {
        OURS: [
            f"location of {ANNA}: Brandenburger Tor\nPariser Platz, Berlin\n52.5163, 13.3777",
        ]
    },
    "location_without_type": {OURS: [f"location of {ANNA}: -33.9, 18.4"]},
    "no_entries": {None: ["ignored no_entries"]},
    "of_another_product": {None: ["ignored not_whatsapp"]},
    "one_bad_item_among_good": {
        OURS: [
            f"text of {ANNA}: eins",
            "ignored no_message_id",
            "ignored no_message_id",
            "ignored unreadable:text",
            f"text of {ANNA}: zwei",
        ]
    },
    "order": {OURS: [f"order of {ANNA}: 2 × schuh-40-blau\nBitte als Geschenk"]},
    "reaction": {OURS: ["reaction"]},
    "reaction_removed": {OURS: ["reaction"]},
    "revoke": {OURS: ["revocation"]},
    "senders_in_another_order": {
        OURS: [f"text of {ANNA}: ich bin Anna", "text of 4915550000105: ich bin Emil"]
    },
    "standby": {OURS: ["ignored standby", "ignored standby"]},
    "standby_empty": {OURS: ["ignored empty:standby"]},
    "status_failed": {OURS: ["receipt failed of wamid.OURS0001"]},
    "status_of_the_future": {OURS: ["receipt played of wamid.OURS0001"]},
    "status_sent": {OURS: ["receipt sent of wamid.OURS0001"]},
    "status_without_id": {OURS: ["ignored no_status"]},
    "sticker": {OURS: [f"media of {ANNA}: "]},
    "system_changed_number": {OURS: ["newidentity"]},
    "template_button": {OURS: [f"button of {ANNA}: Abbestellen"]},
    "text": {OURS: [f"text of {ANNA}: Bekomme ich Größe 40 / blau noch bis Freitag?"]},
    "text_blank": {OURS: ["ignored unreadable:text"]},
    "text_forwarded": {OURS: [f"text of {ANNA}: Schau mal"]},
    "text_from_ad": {OURS: [f"text of {ANNA}: Mehr dazu bitte"]},
    "text_id_only_in_contacts": {OURS: ["text of DE.7000000000000000003: Noch da?"]},
    "text_in_group": {OURS: [f"text of {ANNA}: @Laden habt ihr das auch in Rot?"]},
    "text_looks_like_a_windmill_reference": {OURS: [f"text of {ANNA}: $var:f/chat/sealing_key"]},
    "text_reply": {OURS: [f"text of {ANNA}: Ja, genau die"]},
    "text_username_only": {OURS: ["text of DE.7000000000000000002: Hallo, ich bin neu hier"]},
    "text_with_bsuid": {OURS: ["text of DE.7000000000000000001: Wann macht ihr auf?"]},
    "text_without_account": {None: ["ignored no_account"]},
    "text_without_sender": {OURS: ["ignored no_sender"]},
    "two_numbers_in_one_batch": {
        OURS: [f"text of {ANNA}: an die erste", "receipt read of wamid.OURS0001"],
        "360000000000002": [f"text of {ANNA}: an die zweite"],
    },
    "unsupported": {OURS: ["ignored unreadable:unsupported"]},
    "voice_note": {OURS: [f"media of {ANNA}: "]},
}


def test_the_table_has_a_row_for_every_file():
    assert {file.stem for file in PAYLOADS.iterdir()} == set(EXPECTED)


@pytest.mark.parametrize("scenario", EXPECTED)
def test_w17_each_payload_becomes_what_the_table_says(scenario):
    deliveries = parse(Request(_body(scenario)))

    found = {each.account_id: [_sentence(item) for item in each.items] for each in deliveries}
    assert found == EXPECTED[scenario]


@pytest.mark.parametrize("scenario", EXPECTED)
def test_a_payload_with_any_one_part_spoiled_is_still_read(scenario):
    whole = json.loads(_body(scenario))

    for spoiled in _spoiled(whole):
        for delivery in parse(Request(json.dumps(spoiled).encode())):
            assert delivery.items
            assert all(isinstance(item, Item) for item in delivery.items)


def test_a_text_brings_its_sender_and_its_time():
    assert _only_item("text") == InboundMessage(
        provider_message_id="wamid.TEST0001",
        contact_key=ANNA,
        contact_name="Anna Beispiel",
        contact_phone=ANNA,
        kind="text",
        text="Bekomme ich Größe 40 / blau noch bis Freitag?",
        sent_at=datetime(2026, 9, 21, 14, 13, 21, tzinfo=UTC),
    )


def test_a_contact_is_known_by_business_scoped_id_and_keeps_the_number_beside_it():
    message = _only_item("text_with_bsuid")

    assert (message.contact_key, message.contact_phone) == ("DE.7000000000000000001", ANNA)


def test_a_contact_with_a_username_has_no_number():
    message = _only_item("text_username_only")

    assert (message.contact_name, message.contact_phone) == ("Bo", None)


def test_names_are_found_by_id_and_not_by_place():
    messages = parse(Request(_body("senders_in_another_order")))[0].items

    assert [message.contact_name for message in messages] == ["Anna Beispiel", "Emil"]


def test_a_reply_names_the_message_it_quotes_and_a_forward_names_none():
    assert _only_item("text_reply").reply_to == "wamid.OURS0001"
    assert _only_item("text_forwarded").reply_to is None


def test_a_message_in_a_group_names_the_group():
    assert _only_item("text_in_group").group_id == "Z3JvdXAtdGVzdA=="


def test_media_are_named_and_their_short_lived_address_is_not_kept():
    assert _only_item("voice_note").media == {
        "type": "audio",
        "provider_media_id": "1800000000000001",
        "url": None,
        "size_bytes": None,
        "media_type": "audio/ogg; codecs=opus",
        "sha256": "bm90IGEgcmVhbCBoYXNo",
        "file_name": None,
        "is_voice": True,
        "error_code": None,
    }


def test_media_that_will_never_come_say_so():
    assert _only_item("image_not_downloaded").media["error_code"] == "400"


def test_a_filled_in_form_does_not_show_its_token():
    assert "secret-token" not in _only_item("form").text


def test_a_status_brings_our_own_reference_back():
    receipt = _only_item("status_sent")

    assert receipt.client_reference == "0e000000-0000-4000-8000-000000000001"
    assert receipt.occurred_at == datetime(2026, 9, 21, 14, 21, 40, tzinfo=UTC)


def test_a_failed_status_says_why():
    receipt = _only_item("status_failed")

    assert receipt.error_code == "131047"


def test_standby_gives_away_no_ids_since_the_same_message_may_count_later():
    assert {item.provider_message_id for item in parse(Request(_body("standby")))[0].items} == {
        None
    }


def _body(scenario: str) -> bytes:
    return (PAYLOADS / f"{scenario}.json").read_bytes()


def _only_item(scenario: str) -> Item:
    [delivery] = parse(Request(_body(scenario)))
    [item] = delivery.items
    return item


def _spoiled(whole: dict) -> Iterator[dict]:
    """Copies of a payload, each with one value somewhere in it replaced by junk."""
    for place in list(_places(whole)):
        for junk in JUNK:
            spoiled = copy.deepcopy(whole)
            parent = spoiled
            for key in place[:-1]:
                parent = parent[key]
            parent[place[-1]] = junk
            yield spoiled


def _places(value: object, above: tuple = ()) -> Iterator[tuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in inner:
        yield (*above, key)
        if isinstance(child, dict | list):
            yield from _places(child, (*above, key))


def _sentence(item: Item) -> str:
    match item:
        case InboundMessage():
            return f"{item.kind} of {item.contact_key}: {item.text}"
        case Receipt():
            return f"receipt {item.status} of {item.provider_message_id}"
        case Echo():
            return f"echo to {item.contact_key}: {item.text}"
        case Ignored():
            return f"ignored {item.reason}"
        case Notice():
            return f"notice {item.code} {item.subject}"
        case Edit() | Revocation() | Reaction() | Handover() | NewIdentity():
            return type(item).__name__.lower()
