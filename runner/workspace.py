"""Read a workspace's files, in the form Windmill's CLI syncs them, into plain objects."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from runner.yaml_files import read_yaml

LANGUAGES = {".py": "python3", ".pg.sql": "postgresql"}
BUNDLES = ("__flow", "__app", "__raw_app", "__mod")


@dataclass(frozen=True)
class Script:
    path: str
    language: str
    content: str
    file: Path
    metadata: dict

    @property
    def version(self) -> str:
        """In the form of Windmill's: sixteen hexadecimal digits that change with the content."""
        return hashlib.sha256(self.content.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Flow:
    """`value` is the OpenFlow value with its `!inline` contents; `metadata` the file's rest."""

    path: str
    value: dict
    file: Path
    metadata: dict


@dataclass(frozen=True)
class HttpTrigger:
    path: str
    file: Path
    metadata: dict


@dataclass(frozen=True)
class Schedule:
    path: str
    file: Path
    metadata: dict


@dataclass(frozen=True)
class Unreadable:
    """A file that could not be understood; the checks report it, nothing runs with it."""

    file: Path
    sentence: str


@dataclass
class Workspace:
    root: Path
    scripts: dict[str, Script] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    http_triggers: list[HttpTrigger] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    resources: dict[str, object] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    resource_types: dict[str, dict] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)


def load_workspace(root: Path) -> Workspace:
    workspace = Workspace(Path(root).resolve())
    for file in _workspace_files(workspace.root):
        try:
            _load_file(workspace, file)
        except (yaml.YAMLError, UnicodeDecodeError, FileNotFoundError, TypeError) as exc:
            workspace.unreadable.append(Unreadable(file, " ".join(str(exc).split())))
    return workspace


def path_of(root: Path, file: Path, suffix: str) -> str:
    """A runnable's path: f/chat/load_turn for ROOT/f/chat/load_turn.py."""
    return file.relative_to(root).as_posix().removesuffix(suffix)


def _workspace_files(root: Path) -> Iterator[Path]:
    yield from sorted(root.glob("*.resource-type.yaml"))
    yield from sorted(file for file in (root / "f").rglob("*") if file.is_file())


def _load_file(workspace: Workspace, file: Path) -> None:
    root, name = workspace.root, file.name
    folder = next(
        (part for part in file.relative_to(root).parts[:-1] if part.endswith(BUNDLES)), ""
    )
    if folder:
        if folder.endswith("__flow") and name == "flow.yaml":
            flow = _read_flow(root, file)
            workspace.flows[flow.path] = flow
    elif name.endswith(tuple(LANGUAGES)):
        script = _read_script(root, file)
        workspace.scripts[script.path] = script
    elif name.endswith(".yaml"):
        _load_settings(workspace, file)


def _load_settings(workspace: Workspace, file: Path) -> None:
    kind = file.name.split(".", 1)[-1].removesuffix(".yaml")
    if kind not in ("http_trigger", "schedule", "resource", "variable", "resource-type"):
        return
    metadata = _read_mapping(file)
    path = path_of(workspace.root, file, f".{kind}.yaml")
    if kind == "http_trigger":
        workspace.http_triggers.append(HttpTrigger(path, file, metadata))
    elif kind == "schedule":
        workspace.schedules.append(Schedule(path, file, metadata))
    elif kind == "resource":
        workspace.resources[path] = metadata.get("value")
    elif kind == "variable":
        workspace.variables[path] = metadata.get("value", "")
    else:
        workspace.resource_types[path] = metadata


def _read_script(root: Path, file: Path) -> Script:
    suffix = next(suffix for suffix in LANGUAGES if file.name.endswith(suffix))
    path = path_of(root, file, suffix)
    metadata_file = root / f"{path}.script.yaml"
    metadata = _read_mapping(metadata_file) if metadata_file.exists() else {}
    return Script(path, LANGUAGES[suffix], file.read_text(encoding="utf-8"), file, metadata)


def _read_flow(root: Path, file: Path) -> Flow:
    metadata = _read_mapping(file)
    value = _with_inline_contents(metadata.pop("value", None) or {}, file.parent)
    return Flow(path_of(root, file, "__flow/flow.yaml"), value, file, metadata)


def _with_inline_contents(value, folder: Path):
    if isinstance(value, list):
        return [_with_inline_contents(item, folder) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _inline(item, folder) if key == "content" else _with_inline_contents(item, folder)
        for key, item in value.items()
    }


def _inline(content, folder: Path):
    if isinstance(content, str) and content.startswith("!inline "):
        return (folder / content.removeprefix("!inline ").strip()).read_text(encoding="utf-8")
    return content


def _read_mapping(file: Path) -> dict:
    document = read_yaml(file)
    if not isinstance(document, dict):
        raise TypeError("a mapping is expected at the top of the file")
    return document
