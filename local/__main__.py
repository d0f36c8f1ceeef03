"""python -m local COMMAND: find the command's module, and turn what stops it into a sentence."""

import errno
import importlib
import os
import signal
import sys

import psycopg2
import psycopg2.errors

from local.errors import CannotRun

COMMANDS = {
    "ask": "local.ask",
    "bench": "bench.commands",
    "chaos": "bench.chaos.command",
    "channel": "local.channel",
    "chatbot": "local.chatbot_versions",
    "conformance": "local.conformance",
    "demo": "local.demo",
    "eval": "local.evals",
    "migrate": "local.migrations",
    "models": "local.models_command",
    "questions": "local.questions",
    "receipt": "local.receipt",
    "replay": "local.replay",
    "resources": "local.resource_files",
    "run": "local.run",
    "serve": "local.serve",
    "sources": "local.sources",
    "test": "local.test",
    "tools": "local.tools_command",
    "usage": "local.usage",
    "web": "local.web_command",
    "webhooks": "local.webhooks_command",
    "widget": "local.web_widget",
}


def main(arguments: list[str]) -> int:
    command, *rest = arguments or [""]
    if command not in COMMANDS:
        known = ", ".join(COMMANDS)
        print(f"chatmill: there is no command {command!r}. There are: {known}.", file=sys.stderr)
        return 2
    stop_on_signals()
    try:
        return importlib.import_module(COMMANDS[command]).main(rest)
    except CannotRun as error:
        return stopped(str(error))
    except KeyboardInterrupt:
        print("\nchatmill: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (psycopg2.errors.UndefinedTable, psycopg2.errors.UndefinedColumn):
        return stopped("the database is not of this version. Run ./chatmill migrate.")
    except psycopg2.OperationalError as error:
        return stopped(f"the database stopped answering: {' '.join(str(error).split())}")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return stopped("the disk is full. Make room, then start again.")


def stop_on_signals() -> None:
    """A terminated command cleans up as an interrupted one does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))


def stopped(sentence: str) -> int:
    print(f"chatmill: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
