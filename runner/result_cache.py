"""cache_ttl: a step that ran with the same arguments a moment ago is not run again."""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping

from runner.steps import Code


class ResultCache:
    def __init__(self):
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, str]] = {}

    def get(self, code: Code, args: Mapping, seconds: float, run: Callable):
        """What fails is not kept; results are kept as text, so that nobody changes them."""
        if not seconds:
            return run()
        key = _key(code, args)
        with self._lock:
            until, text = self._known.get(key, (0.0, ""))
        if until > time.monotonic():
            return json.loads(text)
        result = run()
        with self._lock:
            self._forget_old()
            self._known[key] = (time.monotonic() + seconds, json.dumps(result))
        return result

    def _forget_old(self) -> None:
        now = time.monotonic()
        for key in [key for key, (until, _) in self._known.items() if until <= now]:
            del self._known[key]


def _key(code: Code, args: Mapping) -> str:
    text = json.dumps([code.path, code.language, code.content, args], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
