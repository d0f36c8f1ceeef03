"""The results of a flow's steps, by id, as later steps may see them."""

import threading


class Root:
    """What a root flow and all its sequential loops and branches share: the last write wins."""

    def __init__(self, parent: "Root | None" = None):
        self.parent = parent
        self.last: dict[str, object] = {}
        self.lock = threading.Lock()


class Results:
    """One flow job's own results first, then its root's, then the roots around it."""

    def __init__(self, root: Root | None = None):
        self.root = root or Root()
        self._own: dict[str, object] = {}

    def within_same_root(self) -> "Results":
        return Results(self.root)

    def within_own_root(self) -> "Results":
        """Parallel iterations and subflows: they see out, nobody sees in."""
        return Results(Root(self.root))

    def record(self, step_id: str, result) -> None:
        self._own[step_id] = result
        with self.root.lock:
            self.root.last[step_id] = result

    def get(self, step_id: str):
        if step_id in self._own:
            return self._own[step_id]
        root = self.root
        while root is not None:
            if step_id in root.last:
                return root.last[step_id]
            root = root.parent
        return None
