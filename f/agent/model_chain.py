"""Ask a chatbot's models one after the other, until one answers."""

import random
import time
from collections import deque
from collections.abc import Callable

from f.agent.breaker import Breaker
from f.agent.completion import Completion
from f.agent.model_slot import ModelSlot, model_of
from f.shared.deadline import Deadline
from f.shared.errors import AgentStuck, Misconfigured, UpstreamBusy, UpstreamDown, UpstreamError

MAX_RETRIES = 3  # in a turn
FIRST_PAUSE_SECONDS = 0.5
# One slow model must leave time for the next.
CALL_SECONDS = 15


class ModelChain:
    """`slots` in the order in which they are asked. `may_switch`: whether another model may go on
    with what one began; after a change in a system outside it would make that change again.
    `on_refusal(slot, status)`: told when a slot is refused for good. `on_outage(seconds_left)`:
    told before an error that a later try may mend, how much time this one leaves for it."""

    def __init__(
        self,
        slots: list[ModelSlot],
        max_reply_tokens: int,
        deadline: Deadline,
        breaker: Breaker,
        may_switch: Callable[[], bool],
        on_refusal: Callable[[ModelSlot, int | None], None],
        on_outage: Callable[[float], None],
    ):
        self.max_reply_tokens = max_reply_tokens
        self._models = [(slot, model_of(slot, max_reply_tokens)) for slot in slots]
        self._deadline = deadline
        self._breaker = breaker
        self._may_switch = may_switch
        self._on_refusal = on_refusal
        self._on_outage = on_outage
        self._retries_left = MAX_RETRIES
        self._answered_by: str | None = None

    def go_on_with(self, model: str) -> None:
        """The slot that gave a stored answer is the first to be asked for the next."""
        self._models.sort(key=lambda one: one[0].model != model)

    def answer_is_kept(self) -> None:
        """Told once what was paid for is stored: nothing else is written before it."""
        self._breaker.succeeded(self._answered_by)

    def complete(self, messages: list[dict], schemas: list[dict]) -> Completion:
        """Raises UpstreamDown or UpstreamBusy when a later try may succeed, else AgentStuck."""
        models = self._models if self._may_switch() else self._models[:1]
        waiting = deque((0.0, slot, model) for slot, model in models)
        error: UpstreamError | None = None
        while waiting:
            not_before, slot, model = waiting.popleft()
            self._wait_until(not_before)
            if not self._breaker.lets_through(slot.provider_key):
                error = error or UpstreamDown("its vendor failed lately and is left alone")
                continue
            try:
                answered = model.complete(messages, schemas, self._seconds_for_call())
            except (UpstreamError, Misconfigured) as failure:
                self._breaker.failed(slot.provider_key)
                pause_seconds = self._pause(slot, failure)
                if pause_seconds is not None:
                    error = failure
                    self._retry_later(waiting, pause_seconds, slot, model)
                continue
            self._answered_by = slot.provider_key
            self.go_on_with(slot.model)
            return answered
        if self._deadline.seconds_left < FIRST_PAUSE_SECONDS:
            raise AgentStuck("time", "no model answered in time")
        if error is None:
            raise AgentStuck("refused", "every model refused the call")
        self._on_outage(self._deadline.seconds_left)
        raise error

    def _pause(self, slot: ModelSlot, failure: Exception) -> float | None:
        """Seconds before the same model may be asked again; None: it won't mend by waiting."""
        status = getattr(failure, "status", None) or getattr(failure.__cause__, "status", None)
        is_busy = isinstance(failure, UpstreamBusy)
        if is_busy and failure.retry_after_seconds is not None:
            return failure.retry_after_seconds + random.uniform(0, FIRST_PAUSE_SECONDS)
        if isinstance(failure, UpstreamDown) or status in (408, 409):
            tries = MAX_RETRIES - self._retries_left
            return FIRST_PAUSE_SECONDS * 2**tries * random.uniform(1, 1.5)
        self._on_refusal(slot, status)
        return None

    def _retry_later(self, waiting: deque, pause_seconds: float, slot, model) -> None:
        if self._retries_left > 0 and pause_seconds < self._deadline.seconds_left:
            self._retries_left -= 1
            waiting.append((time.monotonic() + pause_seconds, slot, model))

    def _wait_until(self, moment: float) -> None:
        pause_seconds = moment - time.monotonic()
        if pause_seconds > 0:
            time.sleep(min(pause_seconds, self._deadline.seconds_left))

    def _seconds_for_call(self) -> float:
        if not self._deadline.seconds_left:
            raise AgentStuck("time", "the turn has no time left")
        return min(CALL_SECONDS, self._deadline.seconds_left)
