"""What was asked: reading the messages of a chat completion."""

import json
import re

# What Chatmill tells of the contact before the conversation: nobody said it.
BACKGROUND = re.compile(r"\(Background, as JSON\. [^{]*(\{.*\})\)", re.S)
FOLLOW_UP = re.compile(
    r"^(and|but|or|also|then|so|what about|how about|what if)\b|\b(it|that|this|they|them|those)\b",
    re.I,
)
SMALL_TALK = {
    r"(hi|hello|hey|good (morning|afternoon|evening|day)|greetings|hola|olá|ola|bonjour|hallo)"
    r"( there| all| everyone)?": "Hello! How can I help you?",
    r"(many )?(thanks|thank you|thx|cheers|obrigad[oa]|gracias|merci|danke)"
    r"( a lot| so much| very much| again)?": "You're welcome!",
    r"(bye|goodbye|bye bye|see you|have a (nice|good) day)": "Goodbye, and take care!",
}
DEFAULT_UNKNOWN_REPLY = "I don't know that. I could not find it in the documents I have."
UNKNOWN_LINE = re.compile(r"^\W*when you do not know\W*:\s*(.+)$", re.I | re.M)


LONGEST_QUESTION = 1000


def question_of(messages: list[dict]) -> str:
    """The contact's last words; a short follow-up ("and to Spain?") with the question before it."""
    *earlier, last = [said[:LONGEST_QUESTION] for said in said_by_user(messages)] or [""]
    earlier = [said for said in earlier if not small_talk(said)]
    words = last.split()
    if earlier and (len(words) <= 3 or (len(words) <= 8 and FOLLOW_UP.search(last))):
        return f"{earlier[-1]} {last}"
    return last


def said_by_user(messages: list[dict]) -> list[str]:
    said = [words_of(message) for message in messages if message.get("role") == "user"]
    return [text for text in said if not BACKGROUND.fullmatch(text)]


def files_of_customer(messages: list[dict]) -> list[str]:
    """Documents that the contact sent, in the form of what a search finds."""
    told = (BACKGROUND.fullmatch(words_of(one)) for one in messages if one.get("role") == "user")
    files = [file for one in told if one for file in _files_in(one[1])]
    passages = [{"title": file["name"], "text": file["text"]} for file in files]
    return [json.dumps({"passages": passages})] if passages else []


def _files_in(background: str) -> list[dict]:
    try:
        return json.loads(background).get("files_of_customer", [])
    except (ValueError, AttributeError):
        return []


def words_of(message: dict) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content.strip()
    return " ".join(part["text"] for part in content if part.get("type") == "text").strip()


def answers_of_tools(messages: list[dict]) -> list[str]:
    """Those since the contact spoke last."""
    answers: list[str] = []
    for message in reversed(messages):
        if message.get("role") == "user":
            break
        if message.get("role") == "tool":
            answers.insert(0, words_of(message))
    return answers


def small_talk(said: str) -> str | None:
    words = re.sub(r"[^\w\s]", " ", said.lower()).split()
    for pattern, reply in SMALL_TALK.items():
        if re.fullmatch(pattern, " ".join(words)):
            return reply
    return None


def unknown_reply(messages: list[dict]) -> str:
    """What the instructions say for this case, on a line `When you do not know: ...`."""
    told = [words_of(one) for one in messages if one.get("role") in ("system", "developer")]
    line = UNKNOWN_LINE.search("\n".join(told))
    return line.group(1).strip() if line else DEFAULT_UNKNOWN_REPLY
