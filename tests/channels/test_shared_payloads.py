"""Webhook bodies collected from the vendors and from other projects (../shared, not in git)."""

import json
from pathlib import Path

import pytest

from f.channels.messages import Echo, Ignored, InboundMessage, Item, Receipt, WebhookRefused
from f.channels.whatsapp import parse, verify

SHARED = Path(__file__).parents[3] / "shared" / "payloads"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="../shared/payloads is not here")

EXPECTED = {
    "account_alert": ["ignored field:account_alerts"],
    "account_disabled": ["ignored field:account_update"],
    "account_restriction": ["ignored field:account_update"],
    "batch_two_messages_one_change": ["text by number", "ignored reaction"],
    "bsuid_only_no_from": ["text by bsuid"],
    "contacts": ["contacts by number"],
    "document_caption": ["media by bsuid"],
    "document_invoice_bsuid": ["media by bsuid"],
    "echo_edit": ["echo"],
    "echo_text": ["echo"],
    "echo_text_docs": ["echo"],
    "edited_message_image": ["ignored edit"],
    "flow_completion": ["form by bsuid"],
    "flow_without_token": ["form by bsuid"],
    "forwarded": ["text by bsuid"],
    "forwarded_many_times": ["text by bsuid"],
    "group_create": ["ignored field:group_lifecycle_update"],
    "group_participants_add": ["ignored field:group_participants_update"],
    "group_remove_participants": ["ignored field:group_participants_update"],
    "group_settings_update": ["ignored field:group_settings_update"],
    "group_status_suspend": ["ignored field:group_status_update"],
    "group_text_mention": ["text in a group"],
    "handover_control_passed": ["ignored handover:control_passed"],
    "image_caption": ["media by number"],
    "image_empty_caption": ["media by bsuid"],
    "image_with_media_url": ["media by bsuid"],
    "interactive_button_reply": ["button by number"],
    "interactive_list_reply": ["button by number"],
    "location": ["location by number"],
    "location_named": ["location by bsuid"],
    "phone_number_quality_update": ["ignored field:phone_number_quality_update"],
    "reaction": ["ignored reaction"],
    "referral": ["text by bsuid"],
    "reply_context": ["text by bsuid"],
    "reply_product_inquiry": ["text by number"],
    "revoked_message": ["ignored revoke"],
    "standby_user_message": ["ignored standby"],
    "status_delivered": ["receipt delivered"],
    "status_delivered_no_recipient_id": ["receipt delivered"],
    "status_delivered_with_bsuid": ["receipt delivered"],
    "status_failed_130472": ["receipt failed"],
    "status_failed_131053_short_error": ["receipt failed"],
    "status_played_voice": ["receipt played"],
    "status_read": ["receipt read"],
    "status_sent": ["receipt sent"],
    "status_sent_with_tracker": ["receipt sent"],
    "sticker_animated": ["media by bsuid"],
    "sticker_static": ["media by bsuid"],
    "system_changed_number_new_wa_id": ["ignored system"],
    "system_user_changed_number": ["ignored system"],
    "template_quick_reply_button": ["button by number"],
    "text": ["text by number"],
    "text_from_ctwa_ad": ["text by number"],
    "text_with_bsuid": ["text by bsuid"],
    "unknown_field": ["ignored field:automatic_events"],
    "unsupported_131051": ["ignored unsupported"],
    "unsupported_deleted": ["ignored unsupported"],
    "user_marketing_signup": ["ignored field:user_preferences"],
    "user_preferences_resume": ["ignored field:user_preferences"],
    "username_user_text": ["text by bsuid"],
    "video_forwarded": ["media by bsuid"],
    "voice_note": ["media by bsuid"],
}


def test_the_table_has_a_row_for_every_file():
    assert {file.stem for file in (SHARED / "whatsapp_cloud").iterdir()} == set(EXPECTED)


@pytest.mark.parametrize("scenario", EXPECTED)
def test_each_collected_payload_is_proved_and_read(scenario):
    raw = (SHARED / "whatsapp_cloud" / f"{scenario}.json").read_bytes()
    signed = json.loads((SHARED / "_signatures.json").read_bytes())[
        f"whatsapp_cloud/{scenario}.json"
    ]

    verify(
        raw,
        {"x-hub-signature-256": signed["X-Hub-Signature-256"]},
        {"app_secret": signed["key"]},
    )

    items = [item for delivery in parse(raw) for item in delivery.items]
    assert [_words(item) for item in items] == EXPECTED[scenario]


@pytest.mark.parametrize("file", ["truncated_json.body", "empty_body.body"])
def test_a_broken_body_is_refused(file):
    with pytest.raises(WebhookRefused) as refused:
        parse((SHARED / "malformed" / file).read_bytes())

    assert (refused.value.status, refused.value.code) == (400, "body_not_json")


def test_every_published_signature_of_meta_passes():
    vectors = json.loads((SHARED / "signature_vectors.json").read_bytes())
    published = vectors["meta_x_hub_signature_256"]

    for vector in published:
        headers = {"x-hub-signature-256": f"sha256={vector['sha256']}"}
        verify(vector["body"].encode(), headers, {"app_secret": vector["key"]})


def _words(item: Item) -> str:
    match item:
        case InboundMessage(group_id=str()):
            return f"{item.kind} in a group"
        case InboundMessage():
            known_by = "number" if item.contact_key == item.contact_phone else "bsuid"
            return f"{item.kind} by {known_by}"
        case Receipt():
            return f"receipt {item.status}"
        case Echo():
            return "echo"
        case Ignored():
            return f"ignored {item.reason}"
