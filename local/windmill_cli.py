"""Windmill's own linter, installed once beside the installation; it needs Node."""

import re
import shutil
import subprocess
from pathlib import Path

from local.places import STATE, locked, private_folder

VERSION = "1.819.0"
OLDEST_NODE = 20
FOLDER = STATE / "node"


class Unavailable(Exception):
    """Why `wmill lint` cannot run on this machine."""


def lint_command() -> list[str]:
    """Raises Unavailable."""
    check_node()
    program = FOLDER / "node_modules" / ".bin" / "wmill"
    stamp = FOLDER / f"installed-{VERSION}"
    private_folder(FOLDER)
    with locked(FOLDER / "install.lock"):
        if not stamp.exists():
            install(FOLDER)
            stamp.touch()
    return [str(program), "lint"]


def check_node() -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise Unavailable(f"no Node here (it needs Node {OLDEST_NODE} or newer, and npm)")
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    number = re.match(r"v(\d+)", version)
    if not number or int(number[1]) < OLDEST_NODE:
        raise Unavailable(f"Node {version.strip()} is too old: {OLDEST_NODE} or newer is needed")


def install(folder: Path) -> None:
    command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", folder]
    installed = subprocess.run(
        [*command, f"windmill-cli@{VERSION}"], capture_output=True, text=True, cwd=folder
    )
    if installed.returncode != 0:
        reason = (installed.stderr.strip().splitlines() or ["no reason given"])[0]
        raise Unavailable(f"npm could not install windmill-cli ({reason})")
