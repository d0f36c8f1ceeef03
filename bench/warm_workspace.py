"""The workspace, loaded when this is imported: once, by the server that forks many runs."""

from local.workspace import checked_workspace

WORKSPACE = checked_workspace()
