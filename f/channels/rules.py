"""What a vendor allows, as data: the window, the rates, how to tell what became of a message."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """`burst` messages at once, refilled by `per_second`."""

    per_second: float
    burst: int


@dataclass(frozen=True)
class Rules:
    """`window_hours`: how long after a contact's message free words may be sent; None: for ever.

    `after_silence`: what a cut-off send becomes when nobody told of it (channels.after_silence).
    `typing_seconds`: after how long the sign that somebody writes has to be sent again.
    """

    window_hours: int | None = None
    pair: Rate | None = None
    group: Rate | None = None
    account: Rate | None = None
    after_silence: str = "resend_once"
    typing_seconds: float = 20
