"""Files that visitors send are what their bytes say, and theirs alone."""

import pytest

from f.channels.web_media import fetch_media
from tests.local.web_chat import PNG


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("photo.txt", PNG, "image/png"),
        ("photo.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 40, "image/jpeg"),
        ("offer.pdf", b"%PDF-1.7\n", "application/pdf"),
        ("list.csv", b"a,b\n1,2\n", "text/csv"),
        ("../../etc/passwd", b"hello", "text/plain"),
    ],
)
def test_an_uploaded_file_is_of_the_type_that_its_bytes_say(page, query, name, content, media_type):
    uploaded = page.upload(content, name)
    said_so = page.say("Look", attachment_id=uploaded.json["attachment_id"])

    assert (uploaded.status, said_so.status) == (201, 202)
    assert query("select media ->> 'media_type', kind from inbound_messages") == [
        (media_type, "media")
    ]
    shown = page.poll().json["messages"][0]["file_name"]
    assert "/" not in shown and shown == query("select file_name from web_uploads")[0][0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<!doctype html><script>alert(1)</script>"),
        ("picture.svg", b"<svg onload=alert(1)>"),
        ("tool.exe", b"MZ\x90\0\x03"),
        ("offer.pdf", b"PK\x03\x04 no archive"),
        ("text.txt", b"\xff\xfe\0"),
    ],
)
def test_a_file_that_could_do_harm_is_refused(page, query, name, content):
    answer = page.upload(content, name)

    assert (answer.status, answer.code) == (415, "upload_type_refused")
    assert query("select count(*) from web_uploads") == [(0,)]


def test_a_file_over_ten_megabytes_is_refused(page):
    answer = page.upload(PNG + b"\0" * 10_485_760)

    assert answer.status == 413


def test_nobody_attaches_the_file_of_another(page, stranger, query):
    attachment_id = page.upload(PNG).json["attachment_id"]

    assert stranger.say("Mine?", attachment_id=attachment_id).code == "attachment_unknown"


def test_a_file_reaches_the_turn_as_any_vendors_does(page, database, windmill, query):
    windmill.resources["f/chat/app_database"] = database
    page.say("Look", attachment_id=page.upload(PNG).json["attachment_id"])
    [(media,)] = query("select media from inbound_messages")

    assert fetch_media({}, media, 1000) == PNG
