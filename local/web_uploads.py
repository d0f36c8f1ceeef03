"""What visitors may upload, told by its bytes: pictures, recordings, documents that we read."""

import f.knowledge.file_types as file_types
import f.shared.media_types as media_types
from f.channels.messages import WebhookRefused
from f.shared.errors import InputRefused

# Not pages: a teammate who opens one would run what the visitor wrote.
DOCUMENTS = (
    file_types.PDF,
    file_types.DOCX,
    file_types.XLSX,
    file_types.CSV,
    file_types.MARKDOWN,
    file_types.TEXT,
)


def kind_of(media_type: str) -> str:
    """As the inbox has it: image, audio or document."""
    beginning = media_type.partition("/")[0]
    return beginning if beginning in ("image", "audio") else "document"


def told_type(file_name: str, content: bytes) -> str:
    """Raises WebhookRefused `upload_type_refused`, or `upload_empty`."""
    if not content:
        raise WebhookRefused(400, "upload_empty", "The file is empty.")
    media_type = media_types.tell(content)
    if media_type:
        return media_type
    try:
        found = file_types.tell(file_name, content)
    except InputRefused as error:
        raise refused() from error
    if found not in DOCUMENTS or (found not in file_types.BINARY and not is_text(content)):
        raise refused()
    return found


def is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def refused() -> WebhookRefused:
    sentence = "Send a picture, a recording, a PDF, DOCX, XLSX or a text file."
    return WebhookRefused(415, "upload_type_refused", sentence)
