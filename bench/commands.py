"""./chatmill bench [WHAT]: the bench that is named, else how fast messages are answered."""

import importlib

BENCHES = {
    "agent": "bench.agent",
    "confidence": "bench.confidence",
    "documents": "bench.documents",
    "isolation": "bench.isolation",
    "knowledge": "bench.knowledge",
    "splitting": "bench.splitting",
}


def main(arguments: list[str]) -> int:
    name, rest = (arguments[0], arguments[1:]) if arguments[:1] else ("", [])
    if name in BENCHES:
        return importlib.import_module(BENCHES[name]).main(rest)
    return importlib.import_module("bench.answering").main(arguments)
