"""kill -9 while a source is read: what is searched is one whole version, and reading goes on."""

from bench.ingestion_kills import Kills


def test_k16_reading_that_is_killed_anywhere_shows_one_whole_version(
    owner, knowledge_database, model, organization_id
):
    report = Kills(owner, dict(knowledge_database), model, seed=1).run(organization_id, 4)

    assert report.boundaries > 50
    assert report.kills == 4 and report.is_clean, report
