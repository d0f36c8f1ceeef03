"""What a page of the web chat is told when it is not served."""

import math
import sys

from starlette.responses import JSONResponse, Response

from f.channels.messages import WebhookRefused
from runner.request_bodies import BodyRefused, ClientGone


class TooManyRequests(WebhookRefused):
    """A bucket is empty."""

    def __init__(self, wait_seconds: float):
        super().__init__(429, "too_many_requests", "Too many requests; wait, then try again.")
        self.wait_seconds = max(1, math.ceil(wait_seconds))


def refusal_of(error: Exception) -> Response:
    match error:
        case ClientGone():
            return Response(status_code=499)  # to nobody
        case BodyRefused():
            return refused(error.status, "body_refused", error.sentence)
        case TooManyRequests():
            response = refused(error.status, error.code, str(error))
            response.headers["Retry-After"] = str(error.wait_seconds)
            return response
        case WebhookRefused():
            return refused(error.status, error.code, str(error))
    # Ours to mend: its words hold no text and no secret, and the page need not know them.
    print(f"web chat: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    response = refused(503, "try_again", "The chat is not available at this moment.")
    response.headers["Retry-After"] = "2"
    return response


def refused(status: int, code: str, sentence: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": sentence}}, status)
