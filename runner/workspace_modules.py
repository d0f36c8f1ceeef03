"""Import a workspace's scripts as modules: f.chat.load_turn is ROOT/f/chat/load_turn.py."""

import hashlib
import importlib
import importlib.util
import sys
import threading
import types
from pathlib import Path

from runner.workspace import Script

# The repository's own workspace is imported plainly: tests and steps share the same modules.
OWN_ROOT = Path(__file__).resolve().parent.parent


class WorkspaceModules:
    """The modules of one workspace; a foreign one borrows the name `f` from mount to unmount."""

    _mounted: "WorkspaceModules | None" = None

    def __init__(self, root: Path):
        self._root = root
        self._lock = threading.Lock()
        self._inline: dict[str, types.ModuleType] = {}
        self._loaded_at: dict[str, int] = {}
        self._borrowed: dict[str, types.ModuleType] | None = None

    def mount(self) -> None:
        if self._root == OWN_ROOT:
            return
        if WorkspaceModules._mounted is not None:
            raise RuntimeError(f"another workspace is running: {WorkspaceModules._mounted._root}")
        WorkspaceModules._mounted = self
        self._borrowed = _take_away_f()
        package = types.ModuleType("f")
        package.__path__ = [str(self._root / "f")]
        sys.modules["f"] = package
        importlib.invalidate_caches()

    def unmount(self) -> None:
        for name in [module.__name__ for module in self._inline.values()]:
            sys.modules.pop(name, None)
        if self._borrowed is not None:
            _take_away_f()
            sys.modules.update(self._borrowed)
            self._borrowed = WorkspaceModules._mounted = None

    def script(self, script: Script) -> types.ModuleType:
        """Imported once, and again when its file changed."""
        name = script.path.replace("/", ".")
        modified_at = script.file.stat().st_mtime_ns
        if self._loaded_at.get(name) == modified_at and name in sys.modules:
            return sys.modules[name]
        with self._lock:
            changed = self._loaded_at.get(name) not in (None, modified_at)
            module = importlib.import_module(name)
            if changed:
                module = importlib.reload(module)
            self._loaded_at[name] = modified_at
        return module

    def inline(self, content: str, label: str) -> types.ModuleType:
        """A flow's own script; compiled and run once for each distinct text."""
        digest = hashlib.sha256(content.encode()).hexdigest()
        with self._lock:
            if digest not in self._inline:
                self._inline[digest] = _run_inline(content, label, digest)
            return self._inline[digest]


def _run_inline(content: str, label: str, digest: str) -> types.ModuleType:
    module = types.ModuleType(f"inline_script_{digest[:16]}")
    code = compile(content, f"<{label}>", "exec")
    sys.modules[module.__name__] = module
    exec(code, module.__dict__)
    return module


def _take_away_f() -> dict[str, types.ModuleType]:
    names = [name for name in sys.modules if name == "f" or name.startswith("f.")]
    return {name: sys.modules.pop(name) for name in names}
