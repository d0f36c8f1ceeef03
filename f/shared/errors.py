"""Every error that we raise on purpose, by who acts next.

ChatmillError
├── Misconfigured          a person must change a setting           alert, no retry
├── InputRefused           whoever sent it must send something else no alert, no retry
├── DataRefused            our bug: the database refused a value    alert, no retry
├── StaleTurn              another worker has the conversation      no alert, no retry
├── UpstreamError          a vendor's API did not do its part
│   ├── UpstreamDown       no answer, or 5xx                        alert, retry
│   ├── UpstreamBusy       429                                      no alert, retry
│   ├── UpstreamRefused    any other 4xx                            alert, no retry
│   │   ├── WindowClosed   too long after the contact's message     alert, no retry
│   │   └── ContactGone    the contact blocked us or opted out      no alert, no retry
│   └── DeliveryUnknown    sent, and no answer came                 alert, no retry
├── AgentStuck             tokens or time used up, or all refused   stays in the agent loop
└── ToolError              answered to the model, stays in the agent loop
    ├── ToolRetry          the model can mend its arguments
    └── ToolFailed         the model must do without
        ├── TokenRefused   the contact's token is taken no more, nothing was called
        └── SignInNeeded   the contact has to sign in first
"""


class ChatmillError(Exception):
    """Something went wrong in Chatmill."""

    retryable = False
    alerts = True

    def __init__(self, message: str = ""):
        super().__init__(message or self.__doc__)
        # Windmill publishes an exception's instance attributes as `error.extra`; flows retry on it.
        self.retryable = type(self).retryable
        self.alerts = type(self).alerts


class Misconfigured(ChatmillError):
    """A setting is missing or wrong; `code` says which, where a vendor told."""

    def __init__(self, message: str = "", code: str | None = None):
        super().__init__(message)
        self.code = code


class InputRefused(ChatmillError):
    """What was sent can't be taken; `code` is listed in docs/error_codes.md."""

    alerts = False

    def __init__(self, code: str, sentence: str):
        super().__init__(sentence)
        self.code = code


class DataRefused(ChatmillError):
    """The database refused a value or a row; which one is in its own log, not here."""


class StaleTurn(ChatmillError):
    """Another worker has the conversation; nothing of this one's work was written."""

    alerts = False


class UpstreamError(ChatmillError):
    """A vendor's API did not do its part."""

    # Windmill publishes what is in `__dict__`; a vendor's answer may hold personal data, so its
    # body lives in a slot, for the caller that knows the vendor's codes.
    __slots__ = ("body", "retry_after_seconds")

    def __init__(
        self,
        message: str = "",
        status: int | None = None,
        code: str | None = None,
        body: bytes = b"",
        retry_after_seconds: int | None = None,
    ):
        super().__init__(message)
        self.status = status
        self.code = code
        self.body = body
        self.retry_after_seconds = retry_after_seconds


class UpstreamDown(UpstreamError):
    """No answer came, or a 5xx."""

    retryable = True


class UpstreamBusy(UpstreamError):
    """The vendor asks us to slow down."""

    retryable = True
    alerts = False


class UpstreamRefused(UpstreamError):
    """The vendor refused the call for good."""


class WindowClosed(UpstreamRefused):
    """The vendor takes no free words so long after the contact's last message."""


class ContactGone(UpstreamRefused):
    """The contact blocked us, opted out or left."""

    alerts = False


class DeliveryUnknown(UpstreamError):
    """The call was sent and no answer came: sending again might double the message."""


class AgentStuck(ChatmillError):
    """The turn has no rounds, tokens or time left for its model, or no model that takes it."""

    def __init__(self, reason: str, message: str = ""):
        """`reason`: tokens, time or refused."""
        super().__init__(message)
        self.reason = reason


class ToolError(ChatmillError):
    """A tool could not do what the model asked; the model reads the message."""

    alerts = False


class ToolRetry(ToolError):
    """The model can mend its arguments and call again."""


class ToolFailed(ToolError):
    """The model must do without this tool."""


class TokenRefused(ToolFailed):
    """The server takes the contact's token no more; it called nothing."""


class SignInNeeded(ToolFailed):
    """The contact has to sign in first; they are sent a link."""

    # With the link in it: no part of what an engine publishes of an error.
    __slots__ = ("request",)

    def __init__(self, request: str):
        super().__init__()
        self.request = request
