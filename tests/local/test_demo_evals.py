"""The demo's forty golden questions, answered by the offline model."""

from pathlib import Path

from local.documents import add_documents, demo_documents
from local.evals import read_cases, run_cases
from local.hashing_embedder import HashingEmbedder
from local.offline_model import OfflineModel
from local.places import ROOT
from local.rehearsal import Stage
from tests.conftest import CHATBOT_ID, ORGANIZATION_ID, SEALING_KEY

CASES = read_cases(Path(ROOT / "db" / "demo" / "evals.yaml"))
# The simplest embedder of all finds a few of them by luck.
LEAST = 36


def test_the_demo_answers_its_golden_questions(owner):
    with OfflineModel("key", embedder=HashingEmbedder()) as model:
        add_documents(owner, model.resource, ORGANIZATION_ID, demo_documents())

        result = run_cases(Stage(owner, model.resource, SEALING_KEY, CHATBOT_ID), CASES, 1)

    assert len(CASES) == 40
    assert result.passed_every_time >= LEAST, result.failed
