"""A vendor's code, said as one of our errors: who acts next, and whether to try again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from f.shared.errors import (
    ChatmillError,
    ContactGone,
    DeliveryUnknown,
    Misconfigured,
    UpstreamBusy,
    UpstreamDown,
    UpstreamError,
    UpstreamRefused,
    WindowClosed,
)

LEAST_SECRET_CHARACTERS = 6


@dataclass(frozen=True)
class Codes:
    """`later`: the vendor's own trouble. `too_fast`: over a rate. `needs_a_person`: token,
    permission, account, payment; which of these the token is not, `troubles` say, by the names of
    checks.WORDS. `window_closed`, `gone`: of this contact. Any other is refused for good."""

    later: tuple = ()
    too_fast: tuple = ()
    needs_a_person: tuple = ()
    window_closed: tuple = ()
    gone: tuple = ()
    troubles: Mapping[str, tuple] = field(default_factory=dict)

    def trouble(self, code: str) -> str:
        named = (name for name, codes in self.troubles.items() if code in map(str, codes))
        return next(named, "credentials_refused")

    def meaning(self, code: str | None) -> str | None:
        """gone or window_closed, for a refusal that comes later, with a status."""
        found = self.error_class(code) if code else None
        return {ContactGone: "gone", WindowClosed: "window_closed"}.get(found)

    def error_class(self, code: str) -> type[ChatmillError]:
        classes = {
            UpstreamDown: self.later,
            UpstreamBusy: self.too_fast,
            Misconfigured: self.needs_a_person,
            WindowClosed: self.window_closed,
            ContactGone: self.gone,
        }
        found = (error for error, codes in classes.items() if code in map(str, codes))
        return next(found, UpstreamRefused)


def refusal(
    codes: Codes,
    vendor: str,
    credentials: dict,
    exc: UpstreamError,
    code: str | None,
    details: str = "",
) -> ChatmillError:
    """Decides on the vendor's code: the HTTP status says less, and words change.

    Without a code the answer came from a gateway, which may have passed the call on.
    """
    if code is None:
        error_class = DeliveryUnknown if isinstance(exc, UpstreamDown) else type(exc)
        return error_class(f"{vendor} answered {exc.status} without a code.", status=exc.status)
    sentence = f"{vendor} refused a call of {credentials['account_id']}: error {code}"
    error_class = codes.error_class(code)
    if error_class is Misconfigured:
        # Without the vendor's own words: those of a broken token repeat the token.
        return Misconfigured(
            f"{sentence}. The channel's settings need a person.", codes.trouble(code)
        )
    return error_class(
        f"{sentence}. {_without_secrets(details, credentials)}".rstrip(),
        status=exc.status,
        code=code,
        retry_after_seconds=exc.retry_after_seconds,
    )


def _without_secrets(text: str, credentials: dict) -> str:
    """Vendors repeat what they were sent; what is no secret of these is not much missed."""
    for value in credentials.values():
        if isinstance(value, str) and len(value) >= LEAST_SECRET_CHARACTERS:
            text = text.replace(value, "…")
    return text
