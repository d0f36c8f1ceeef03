"""Engines over workspaces that a test writes."""

import itertools

import pytest

from runner.engine import Engine
from runner.workspace import load_workspace
from tests.runner.serving import write_files


@pytest.fixture
def make_engine(tmp_path):
    """make_engine(files, **options): a started engine, stopped after the test, no server."""
    started, numbers = [], itertools.count()

    def make(files: dict[str, str] | None = None, **options) -> Engine:
        root = tmp_path / f"workspace{next(numbers)}"
        write_files(root, files or {})
        engine = Engine(load_workspace(root), **options)
        engine.start("")
        started.append(engine)
        return engine

    yield make
    for engine in started:
        engine.stop(grace_seconds=0.2)


@pytest.fixture
def engine(make_engine) -> Engine:
    return make_engine()
