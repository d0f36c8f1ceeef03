"""Refuse, when it is loaded, a workspace that Windmill or this runner would fail on later."""

from pathlib import Path

from runner.checks.documents import Documents, read_documents
from runner.checks.flows import flow_problems
from runner.checks.http_triggers import http_trigger_problems
from runner.checks.imports import import_problems
from runner.checks.problems import Problem, WorkspaceRefused
from runner.checks.schedules import schedule_problems
from runner.checks.scripts import script_problems
from runner.checks.settings import setting_problems
from runner.workspace import Workspace, load_workspace

__all__ = ["Problem", "WorkspaceRefused", "check_workspace", "load_checked_workspace"]

CHECKS = (
    flow_problems,
    script_problems,
    import_problems,
    http_trigger_problems,
    schedule_problems,
    setting_problems,
)


def check_workspace(workspace: Workspace) -> list[Problem]:
    """Every problem found, by file; none means that the workspace may run."""
    documents = read_documents(workspace.root)
    problems = {*documents.problems}
    for check in CHECKS:
        problems.update(check(documents))
    return sorted([*problems, *_unreadable(workspace, documents, problems)])


def load_checked_workspace(root: Path) -> Workspace:
    workspace = load_workspace(root)
    problems = check_workspace(workspace)
    if problems:
        raise WorkspaceRefused(problems)
    return workspace


def _unreadable(
    workspace: Workspace, documents: Documents, problems: set[Problem]
) -> list[Problem]:
    """What the loader could not read and no check has explained better."""
    explained = {problem.file for problem in problems}
    found = []
    for each in workspace.unreadable:
        file = each.file.relative_to(documents.root).as_posix()
        if file not in explained:
            found.append(Problem(file, "", f"cannot be read: {each.sentence}"))
    return found
