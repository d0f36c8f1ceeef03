"""Fetch a file that came through Messenger: its address is signed, so nothing is sent along.

Source: https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/messages
"""

import f.channels.media as media

HOSTS = frozenset({".fbcdn.net", ".fbsbx.com", "lookaside.facebook.com"})


def fetch_media(credentials: dict, said: dict, max_bytes: int) -> bytes:
    return media.fetch(said.get("url") or "", media.Place(HOSTS), credentials, max_bytes)
