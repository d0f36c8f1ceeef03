"""kill -9 while a source is read: what is searched is one whole version, and reading goes on."""

from bench import ingestion_kills
from bench.ingestion_kills import Kills


def test_k16_reading_that_is_killed_anywhere_shows_one_whole_version(
    owner, knowledge_database, model, organization_id
):
    report = Kills(owner, dict(knowledge_database), model, seed=1).run(organization_id, 4)

    assert report.boundaries > 50
    assert report.kills == 4 and report.is_clean, report


def test_a_version_that_can_be_searched_while_it_is_stored_would_be_noticed(
    query, owner, knowledge_database, model, organization_id, monkeypatch
):
    # The second kill comes so many boundaries before the end of a run.
    monkeypatch.setattr(ingestion_kills, "STRIDE", -20)
    query("drop index documents_one_active_version")
    query("alter table documents alter is_active set default true")

    report = Kills(owner, dict(knowledge_database), model, seed=1).run(organization_id, 2)

    assert report.half_documents > 0 and not report.is_clean
