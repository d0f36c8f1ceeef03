"""A workspace's variables and resources, with what the operator set in place of the files'."""

from collections.abc import Mapping

from runner.arguments import resource_value
from runner.failures import NotFound, StepFailed
from runner.workspace import Workspace


class Values:
    def __init__(self, workspace: Workspace, variables: Mapping, resources: Mapping):
        self._variables = {**workspace.variables, **variables}
        self._resources = {**workspace.resources, **resources}

    def variable(self, path: str) -> str:
        if path not in self._variables:
            raise NotFound(f"Variable {path} not found")
        return self._variables[path]

    def resource(self, path: str) -> object:
        """With the variables and resources it names inside in place of their names."""
        if path not in self._resources:
            raise NotFound(f"Resource {path} not found")
        try:
            return resource_value(self._resources[path], self._lookup)
        except StepFailed as exc:
            raise NotFound(exc.result["error"]["message"]) from exc
        except RecursionError as exc:
            raise NotFound(f"Resource {path} refers to itself") from exc

    def _lookup(self, kind: str, path: str) -> object:
        return self.variable(path) if kind == "variable" else self.resource(path)
