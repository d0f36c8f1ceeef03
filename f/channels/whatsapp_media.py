"""Fetch a file that came through WhatsApp Cloud: its id, then an address for five minutes.

Source: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
"""

import base64
import hashlib
from dataclasses import replace
from urllib.parse import quote

import f.channels.graph as graph
import f.channels.media as media
from f.channels.vendor_json import words
from f.channels.whatsapp_codes import CODES
from f.shared.errors import UpstreamDown

HOSTS = frozenset({".fbsbx.com", ".fbcdn.net", ".whatsapp.net"})
SECRET_HOSTS = ("lookaside.fbsbx.com",)
# A file that is gone is answered like an account that is not ours.
MEDIA_CODES = replace(CODES, needs_a_person=(0, 3, 10, 190))


def fetch_media(credentials: dict, said: dict, max_bytes: int) -> bytes:
    """A file that is gone, or not the one that was signed for, is asked for anew each time."""
    media_id = quote(said.get("provider_media_id") or "", safe="")
    path = f"/{media_id}?phone_number_id={credentials['account_id']}"
    answer = graph.call(credentials, "GET", path, None, MEDIA_CODES, "WhatsApp", False)
    media.check_size(answer.get("file_size"), max_bytes)
    bearer = {"authorization": f"Bearer {credentials['access_token']}"}
    place = media.Place(HOSTS, SECRET_HOSTS, bearer)
    content = media.fetch(words(answer.get("url"), 4096), place, credentials, max_bytes)
    if said.get("sha256") and said["sha256"] not in _digests(content):
        raise UpstreamDown("WhatsApp gave other bytes than it had announced")
    return content


def _digests(content: bytes) -> tuple[str, str]:
    """Webhooks have it in base64, the API in hexadecimal."""
    digest = hashlib.sha256(content)
    return base64.b64encode(digest.digest()).decode(), digest.hexdigest()
