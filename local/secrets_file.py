"""The secrets of this installation: drawn once, kept where only its owner can read them."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local.errors import CannotRun
from local.places import locked, private_folder, project_owner


@dataclass(frozen=True)
class Secrets:
    """`sealing_key` opens what the database keeps sealed, `login_key` makes the passwords of the
    steps' logins; the others are the demo channel's."""

    sealing_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    access_token: str = field(repr=False)
    login_key: str = field(repr=False)


def load_secrets(state: Path) -> Secrets:
    path = private_folder(state) / "secrets.json"
    with locked(state / "secrets.lock"):
        if not path.exists():
            write(path, drawn())
        if "login_key" not in path.read_text():  # made by an earlier version
            add_login_key(path)
    try:
        return Secrets(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise CannotRun(
            f"{path} cannot be read. Restore it from a backup; or delete it, and connect every"
            " channel again (their sealed credentials cannot be opened without it)."
        ) from error


def drawn() -> Secrets:
    return Secrets(
        sealing_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        app_secret=secrets.token_hex(16),
        verify_token=secrets.token_urlsafe(24),
        access_token=f"EAAG{secrets.token_urlsafe(48)}",
        login_key=secrets.token_hex(32),
    )


def add_login_key(path: Path) -> None:
    try:
        write(path, Secrets(**json.loads(path.read_text()), login_key=secrets.token_hex(32)))
    except (ValueError, TypeError):
        return  # not ours to mend; reading it says so


def write(path: Path, content: Secrets) -> None:
    write_private(path, json.dumps(asdict(content)))


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by others in between."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    if os.geteuid() == 0:
        owner = project_owner()
        os.chown(unfinished, owner.pw_uid, owner.pw_gid)
    unfinished.rename(path)
