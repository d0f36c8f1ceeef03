"""What a check found wrong with a workspace's files."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """`file` is relative to the workspace's root; `key` says where in the file."""

    file: str
    key: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.sentence}" if self.key else self._without_key()

    def _without_key(self) -> str:
        return f"{self.file}: {self.sentence}"


class WorkspaceRefused(Exception):
    """The workspace has problems; the message lists them, one a line."""

    def __init__(self, problems: list[Problem]):
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
