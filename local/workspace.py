"""The workspace under f/, checked before anything of it is run."""

from functools import cache

from local.errors import CannotRun
from local.places import ROOT
from runner.checks import WorkspaceRefused, load_checked_workspace
from runner.workspace import Workspace


@cache
def checked_workspace() -> Workspace:
    try:
        return load_checked_workspace(ROOT)
    except WorkspaceRefused as refused:
        problems = "\n  ".join(str(problem) for problem in refused.problems)
        raise CannotRun(f"the workspace under f/ cannot run:\n  {problems}") from refused
