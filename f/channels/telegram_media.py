"""Fetch a file that came through Telegram. Its address holds the bot's token: it is never told.

Source: https://core.telegram.org/bots/api#getfile
"""

from urllib.parse import quote

import f.channels.media as media
from f.channels.telegram_sending import API_URL, call
from f.channels.vendor_json import mapping, words
from f.shared.errors import UpstreamDown, UpstreamRefused

HOSTS = frozenset({"api.telegram.org"})


def fetch_media(credentials: dict, said: dict, max_bytes: int) -> bytes:
    media.check_size(said.get("size_bytes"), max_bytes)
    try:
        answer = call(credentials, "getFile", {"file_id": said.get("provider_media_id")})
    except UpstreamRefused as error:
        if "file is too big" in str(error).lower():
            raise media.too_large() from None
        raise
    path = words(mapping(answer.get("result")).get("file_path"), 1024)
    if not path:
        raise UpstreamDown("Telegram knows the file and gave no place for it")
    base = (credentials.get("api_url") or API_URL).rstrip("/")
    url = f"{base}/file/bot{credentials['bot_token']}/{quote(path)}"
    return media.fetch(url, media.Place(HOSTS), credentials, max_bytes)
