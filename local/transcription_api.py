"""A stand-in for an OpenAI-compatible /audio/transcriptions endpoint: checks what OpenAI checks.

Source: https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

from email import policy
from email.parser import BytesParser

from local.json_server import JsonServer, Reply, Request

ENDINGS = ("flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm")
LARGEST_BYTES = 25 * 1024 * 1024


class TranscriptionApi(JsonServer):
    """Hears `text` in every recording; `heard` lists them. `usage`: as the answer tells it."""

    def __init__(self, api_key: str, model: str = "whisper-1", port: int = 0):
        self._api_key, self._model = api_key, model
        self.text = "When do you open?"
        self.usage: dict | None = {"type": "duration", "seconds": 7}
        self.heard: list[bytes] = []
        self.failures: list[int] = []
        super().__init__(self._answer, port)

    def _answer(self, request: Request) -> Reply:
        if self.failures:
            return _error(self.failures.pop(0), "The server had an error.")
        if request.bearer != self._api_key:
            return _error(401, "Incorrect API key provided.")
        if request.path != "/v1/audio/transcriptions":
            return _error(404, "Unknown request URL.")
        fields = _fields(request)
        if fields.get("model", (None, b""))[1] != self._model.encode():
            return _error(404, "The model does not exist.")
        name, content = fields.get("file", (None, b""))
        if not (name or "").endswith(ENDINGS) or not content:
            return _error(400, f"Invalid file format. Supported formats: {ENDINGS}")
        if len(content) > LARGEST_BYTES:
            return _error(413, "Maximum content size limit (26214400) exceeded")
        self.heard.append(content)
        return Reply(200, {"text": self.text} | ({"usage": self.usage} if self.usage else {}))


def _fields(request: Request) -> dict[str, tuple[str | None, bytes]]:
    """(file name, content) by the fields' names, as the standard library reads multipart."""
    head = f"content-type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    form = BytesParser(policy=policy.HTTP).parsebytes(head + request.body)
    return {
        part.get_param("name", header="content-disposition"): (
            part.get_filename(),
            part.get_payload(decode=True),
        )
        for part in (form.iter_parts() if form.is_multipart() else ())
    }


def _error(status: int, message: str) -> Reply:
    return Reply(status, {"error": {"message": message, "type": "invalid_request_error"}})
