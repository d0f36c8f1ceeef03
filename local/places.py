"""Where the local installation keeps its things, and locks on them that die with their owner."""

import fcntl
import os
import pwd
from contextlib import contextmanager
from pathlib import Path

from local.errors import CannotRun

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".chatmill"


def private_folder(folder: Path) -> Path:
    """Make a folder that only its owner may enter; root's are given to the project's owner."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        owner = project_owner()
        if os.geteuid() == 0 and owner.pw_uid != folder.stat().st_uid:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
    except OSError as error:
        raise CannotRun(
            f"cannot write to {folder} ({error.strerror}). Give yourself write access to the"
            " project's folder, or copy the project to a folder of your own."
        ) from error
    return folder


def project_owner() -> pwd.struct_passwd:
    """Root acts on behalf of whoever owns the project's folder."""
    return pwd.getpwuid(ROOT.stat().st_uid if os.geteuid() == 0 else os.geteuid())


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(path: Path):
    """Wait for the lock and hold it; the kernel releases it if this process is killed."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def only_instance(folder: Path, doing: str):
    """Refuse to start when another process is already doing this in the same folder."""
    path = folder / f"{doing}.lock"
    descriptor = open_lock(path)
    try:
        if not try_lock(descriptor):
            pid = path.read_text().strip() or "unknown"
            raise CannotRun(
                f"another instance of `./chatmill {doing}` is running here (process {pid})."
                " Stop it first, or use a second copy of the project."
            )
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
