"""A file that a visitor uploaded from the page: nobody's server has it but ours."""

from f.shared.db import connect
from f.shared.errors import InputRefused
from f.shared.windmill import get_resource


def fetch_media(credentials: dict, said: dict, max_bytes: int) -> bytes:
    with connect(get_resource("f/chat/app_database")) as conn, conn.cursor() as cursor:
        cursor.execute("select read_web_upload(%s)", (said.get("provider_media_id"),))
        (content,) = cursor.fetchone()
    if content is None:
        raise InputRefused("media_lost", "Nobody has the file any more.")
    if len(content) > max_bytes:
        raise InputRefused("media_too_large", "The file is larger than is read of its kind.")
    return bytes(content)
