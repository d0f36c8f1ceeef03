"""./chatmill sources: an operator adds, looks at, syncs and removes what is answered from."""

import json

import pytest

import f.knowledge.ingestions as ingestions
from f.shared import safe_fetch
from local import sources
from local.__main__ import main as chatmill
from local.ingesting import read_source
from tests.conftest import ORGANIZATION_ID
from tests.shared.fake_internet import PUBLIC, FakeInternet, answer


@pytest.fixture
def guide(tmp_path) -> str:
    (tmp_path / "guide.md").write_text("# Hours\n\nWe open at nine.")
    return str(tmp_path / "guide.md")


def told(capsys) -> list[dict]:
    return json.loads(capsys.readouterr().out)


def test_a_file_is_added_listed_and_removed(installed, guide, capsys, query):
    assert chatmill(["sources", "add", guide, "--json"]) == 0
    (added,) = told(capsys)
    assert (added["name"], added["state"], added["chunk_count"]) == ("guide.md", "ready", 1)

    assert chatmill(["sources"]) == 0
    listed = capsys.readouterr().out
    assert "guide.md" in listed and " 1 chunk\n" in listed

    assert chatmill(["sources", "remove", "guide.md"]) == 0
    assert query("select count(*) from chunks") == [(0,)]


def test_a_source_is_given_tags_and_loses_them_and_the_list_shows_them(
    installed, guide, capsys, query
):
    assert chatmill(["sources", "add", guide, "--tag", "Shop", "--tag", "north", "--json"]) == 0
    assert told(capsys)[0]["tags"] == ["north", "shop"]
    assert query("select tags from documents") == [(["north", "shop"],)]

    assert chatmill(["sources", "tag", "north", "guide.md", "--off"]) == 0
    assert chatmill(["sources", "tag", "summer", "guide.md"]) == 0
    capsys.readouterr()
    chatmill(["sources"])

    assert "tags: shop, summer" in capsys.readouterr().out


def test_a_tag_that_is_none_is_said(installed, guide, capsys):
    with pytest.raises(SystemExit):
        chatmill(["sources", "add", guide, "--tag", "two words"])

    assert "'two words' is no tag" in capsys.readouterr().err


def test_a_refused_file_tells_what_to_do_in_eighty_columns(installed, tmp_path, capsys):
    (tmp_path / "hours.pdf").write_bytes(b"no PDF")

    assert chatmill(["sources", "add", str(tmp_path / "hours.pdf")]) == 1
    assert chatmill(["sources", "list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any("document_type_mismatch: The file is not what its name says" in one for one in lines)


def test_pages_of_a_sitemap_are_read_and_looked_at_again(
    installed, tmp_path, capsys, monkeypatch, query
):
    internet = FakeInternet(tmp_path)
    internet.names = {"shop.example": [[PUBLIC]]}
    monkeypatch.setattr(safe_fetch, "INTERNET", internet)
    internet.web.answers["/sitemap.xml"] = answer(
        b"<urlset><url><loc>http://shop.example/a</loc></url></urlset>",
        content_type="application/xml",
    )
    internet.web.answers["/a"] = answer(b"We open at nine.")

    assert chatmill(["sources", "add", "http://shop.example/sitemap.xml", "--json"]) == 0
    assert [one["state"] for one in told(capsys)] == ["ready", "ready"]

    internet.web.answers["/a"] = answer(b"We open at ten.")
    assert chatmill(["sources", "sync", "--json"]) == 0
    assert query("select version from documents where is_active") == [(2,)]
    internet.close()


def test_what_is_not_there_or_not_public_is_said(installed, capsys):
    for arguments in (["remove", "nothing"], ["sync", "nothing"], ["add", "http://localhost/"]):
        assert chatmill(["sources", *arguments]) == 1

    said = capsys.readouterr().err
    assert said.count("there is no source nothing") == 2 and "url_blocked" in said


def test_an_address_of_another_kind_is_said_to_be_none(installed, capsys):
    assert chatmill(["sources", "add", "ftp://shop.example/guide.pdf"]) == 1

    said = " ".join(capsys.readouterr().err.split())
    assert "url_blocked" in said and "public page" in said


def test_what_another_command_reads_meanwhile_is_no_success(installed, guide, capsys, monkeypatch):
    def taken_over(engine, *arguments):
        read_source(engine, *arguments)
        return ingestions.REPLACED

    monkeypatch.setattr(sources, "read_source", taken_over)

    assert chatmill(["sources", "add", guide]) == 1
    assert "another command reads the same source" in capsys.readouterr().err


def test_progress_of_what_is_being_read_is_shown(installed, guide, capsys, query):
    chatmill(["sources", "add", guide])
    query(
        "insert into ingestions (organization_id, source_id, sha256, state, page_count,"
        " chunk_count, embedded_count, embedding_seconds)"
        " select organization_id, id, sha256, 'split', 12, 1300, 300, 30"
        " from sources where name = 'guide.md'"
    )
    query("update sources set is_taken = true, due_at = now() + interval '1 min'")
    capsys.readouterr()

    chatmill(["sources", "list", "--organization", ORGANIZATION_ID])

    shown = capsys.readouterr().out
    assert "reading" in shown and "12 pages, 300 of 1,300 chunks, 100 s left" in shown


def test_several_files_are_added_at_once_or_none_of_them(installed, tmp_path, capsys, query):
    for name in ("a/hours.md", "b/hours.md", "b/prices.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"What stands in {name}.")

    paths = [str(tmp_path / name) for name in ("a/hours.md", "b/prices.md")]
    assert chatmill(["sources", "add", *paths, "--tag", "shop", "--json"]) == 0
    assert [(one["name"], one["state"], one["tags"]) for one in told(capsys)] == [
        ("hours.md", "ready", ["shop"]),
        ("prices.md", "ready", ["shop"]),
    ]

    for second, said in (("b/hours.md", "are called hours.md"), ("gone.md", "there is no file")):
        assert chatmill(["sources", "add", paths[0], str(tmp_path / second)]) == 1
        assert said in " ".join(capsys.readouterr().err.split())
    assert query("select count(*) from sources") == [(2,)]


def test_the_help_says_what_of_a_page_is_not_told_from_what_is_seen(capsys):
    with pytest.raises(SystemExit):
        chatmill(["sources", "add", "--help"])

    assert "style sheets at other addresses" in " ".join(capsys.readouterr().out.split())


def test_the_list_says_how_a_held_version_is_looked_at(installed, tmp_path, capsys):
    path = tmp_path / "opening hours.md"
    for said in ("We open at nine.", "We open at ten."):
        path.write_text(said)
        assert chatmill(["sources", "add", str(path), "--hold"]) == 0
    capsys.readouterr()

    chatmill(["sources"])

    assert "./chatmill sources review 'opening hours.md'" in capsys.readouterr().out
