"""What people write and show in a group on Telegram."""

import itertools
import time

from tests.channels.vendors import post

_ids = itertools.count(1)
GROUP = -1001305240521


def update(text: str, sender=1, entities=(), **more) -> dict:
    message = {"message_id": next(_ids), "chat": {"id": GROUP, "type": "supergroup"}}
    message |= {"from": {"id": sender, "first_name": f"P{sender}"}, "date": int(time.time())}
    message |= {"text": text, "entities": list(entities), **more}
    return {"update_id": 1, "message": message}


def say(text: str, sender=1, entities=(), **more) -> None:
    post("telegram", "4242", update(text, sender, entities, **more))


def mention(text: str) -> list[dict]:
    return [{"type": "mention", "offset": 0, "length": len(text)}]


def picture(album: str = "13", caption: str = "", sender=1, **more) -> dict:
    """One of an album."""
    photo = [{"file_id": f"file{next(_ids)}", "width": 9}]
    named = mention("@AcmeHelpBot") if caption.startswith("@AcmeHelpBot") else []
    more |= {"photo": photo, "caption": caption, "caption_entities": named}
    return update("", sender, media_group_id=album, **more)


def show(album: str = "13", caption: str = "", sender=1, **more) -> None:
    post("telegram", "4242", picture(album, caption, sender, **more))


def shown(query) -> list[str]:
    """What was taken, in the order in which it will be read."""
    return [body for (body,) in query("select body from inbound_messages order by sent_at, id")]
