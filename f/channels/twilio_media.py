"""Fetch a file that came through Twilio, which passes on to a host that must not see the token.

Sources: https://www.twilio.com/docs/messaging/api/media-resource,
https://www.twilio.com/docs/conversations/api/media-resource
"""

import f.channels.media as media
from f.channels.twilio_sending import authorization

SECRET_HOSTS = ("api.twilio.com", "mcs.us1.twilio.com")
HOSTS = frozenset({*SECRET_HOSTS, ".twiliocdn.com", "s3-external-1.amazonaws.com"})


def fetch_media(credentials: dict, said: dict, max_bytes: int) -> bytes:
    media.check_size(said.get("size_bytes"), max_bytes)
    place = media.Place(HOSTS, SECRET_HOSTS, authorization(credentials))
    return media.fetch(said.get("url") or "", place, credentials, max_bytes)
