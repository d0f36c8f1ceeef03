"""How a module, a branch or a whole flow ended, and what its parent makes of it."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Ended:
    """`stopped`: stop_after_if took effect; `handled`: a failure module has seen the failure.

    `final` means that this flow may neither retry nor handle the failure; its parent still may.
    """

    success: bool
    result: object
    stopped: bool = False
    skipped: bool = False
    handled: bool = False
    final: bool = False
    recovered: bool = False
    args: dict | None = None

    def for_parent(self) -> "Ended":
        return replace(self, final=False, recovered=False, args=None)
