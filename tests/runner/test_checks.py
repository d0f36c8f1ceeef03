"""A workspace is refused, with file and key, for what would fail or differ later."""

from pathlib import Path

import pytest

from runner.checks import Problem, WorkspaceRefused, check_workspace, load_checked_workspace
from runner.workspace import load_workspace
from tests.runner.serving import write_files
from tests.runner.sound_workspace import FILES, metadata

ROOT = Path(__file__).parents[2]
CANONICAL = ROOT.parent / "shared" / "windmill" / "canonical"


def problems_of(root: Path, files: dict[str, str]) -> list[Problem]:
    write_files(root, files)
    return check_workspace(load_workspace(root))


def only_problem(root: Path, file: str, *edits: tuple[str, str]) -> Problem:
    """The one problem of the sound workspace after edits to one of its files."""
    text = FILES[file]
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    problems = problems_of(root, {**FILES, file: text})
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


def test_a_sound_workspace_has_no_problems(tmp_path):
    assert problems_of(tmp_path, FILES) == []


HOOK = "f/t/hook.http_trigger.yaml"
OFTEN = "f/t/often.schedule.yaml"
DOOR = "f/t/door.resource.yaml"
SECRET = "f/t/secret.variable.yaml"
FOLDER = "f/t/folder.meta.yaml"
LOAD = "f/t/load.script.yaml"


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "sentence"),
    [
        (HOOK, "raw_string: true", "raw_string: true\nwrap: 1", "wrap", "not a key"),
        (HOOK, "wrap_body: false\n", "", "wrap_body", "is required"),
        (HOOK, "hook/:channel", "/hook", "route_path", "begins with a slash"),
        (HOOK, "hook/:channel", "hook/:a/:a", "route_path", "names that differ"),
        (HOOK, "hook/:channel", "hook/*rest/more", "route_path", "is not a route"),
        (HOOK, "hook/:channel", "hook/", "route_path", "is not a route"),
        (HOOK, "f/t/load", "f/t/lod", "script_path", "there is no script"),
        (HOOK, "is_flow: false", "is_flow: true", "script_path", "there is no flow"),
        (HOOK, "http_method: post", "http_method: POST", "http_method", "one of get"),
        (HOOK, "sync", "sync_sse", "request_type", "does not support"),
        (HOOK, "f/t/door", "''", "authentication_resource_path", "resource's path"),
        (HOOK, "raw_string: true", "raw_string: true\nretry: {}", "retry", "not support"),
        (HOOK, "raw_string: true", "raw_string: true\nis_async: true", "is_async", "old form"),
        (OFTEN, "enabled: true", "enabled: true\nretri: 1", "retri", "not a key"),
        (OFTEN, "*/30 * * * * *", "*/30 * * * *", "schedule", "six, seconds first"),
        (OFTEN, "Europe/Rome", "Europe/Rom", "timezone", "is not a time zone"),
        (OFTEN, "f/t/answer", "f/t/anser", "script_path", "there is no flow"),
        (OFTEN, "key: a", "kye: a", "args.kye", "no parameter"),
        (OFTEN, "key: a", "key: '$var:x'", "args.key", "is not a path"),
        (OFTEN, "enabled: true", "enabled: true\non_failure: f/t/x", "on_failure", "ignores"),
        (DOOR, "resource_type", "type: a\nresource_type", "type", "not a key"),
        (DOOR, "$var:f/t/secret", "$var:secret", "value.key", "is not a path"),
        (SECRET, "is_secret: false", "is_secret: no", "is_secret", "true or false"),
        (FOLDER, "owners: [u/admin]\n", "", "owners", "is required"),
        (LOAD, "kind: script", "kind: script\ncach_ttl: 1", "cach_ttl", "not a key"),
        (LOAD, "kind: script", "kind: script\npriority: 1", "priority", "ignores"),
        (LOAD, "lock: ''", "lock: '!inline f/t/load.script.lock'", "lock", "is missing"),
        (LOAD, "properties: {", "properties: {dor: {}, ", "schema.properties.dor", "no parameter"),
        (LOAD, ", door: {type: string}", "", "schema.properties", "lacks 'door'"),
        (LOAD, "kind:", "has_preprocessor: true\nkind:", "has_preprocessor", "lacks a"),
    ],
)
def test_a_setting_is_refused(tmp_path, file, old, new, key, sentence):
    problem = only_problem(tmp_path, file, (old, new))

    assert problem.key == key
    assert sentence in problem.sentence


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("return HELLO", "return (", "does not compile"),
        ("f.t.words", "f.t.word", "there is no f/t/word.py"),
        ("from f.t.words import HELLO", "from f.t import words as HELLO", "does not follow"),
        ("import psycopg2", "import urllib3", "urllib3 is not in requirements.txt"),
        ("    return HELLO", "    import psycopg2\n    return HELLO", "does not see this import"),
        ("    return HELLO\n", "    return HELLO\n\nimport psycopg2\n", "does not see this import"),
        ("def main(", "async def main(", "does not await"),
        ("door: dict)", "door: dict, *, more=1)", "does not read"),
    ],
)
def test_a_python_file_is_refused(tmp_path, old, new, sentence):
    problems = problems_of(
        tmp_path, {**FILES, "f/t/load.py": FILES["f/t/load.py"].replace(old, new)}
    )

    assert any(p.file == "f/t/load.py" and sentence in p.sentence for p in problems)


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("f/t/alone.py", "def main(): pass\n", "has no alone.script.yaml"),
        ("f/t/alone.script.yaml", metadata(), "has no code beside it"),
        ("f/alone.py", "", "is not a path that Windmill takes"),
        ("f/t/page.ts", "export async function main() {}\n", "python3 (.py) and postgresql"),
        ("f/t/mail.email_trigger.yaml", "a: 1\n", "is not supported by the local runner"),
        ("f/t/broken.resource.yaml", "value: [\n", "is not YAML"),
        ("f/t/twice.variable.yaml", "value: a\nvalue: b\nis_secret: false\n", "is not YAML"),
        ("f/t/list.variable.yaml", "- a\n", "must hold a mapping"),
    ],
)
def test_a_file_is_refused(tmp_path, file, content, sentence):
    problems = problems_of(tmp_path, {**FILES, file: content})

    assert {problem.file for problem in problems} == {file}
    assert any(sentence in problem.sentence for problem in problems)


@pytest.mark.parametrize("name", ["2_load", "lo-ad", "class"])
def test_a_python_file_needs_an_importable_name(tmp_path, name):
    files = {f"f/t/{name}.py": "X = 1\n", f"f/t/{name}.script.yaml": metadata()}

    problems = problems_of(tmp_path, {**FILES, **files})

    assert [problem.file for problem in problems] == [f"f/t/{name}.py"]


def test_two_triggers_cannot_have_one_route(tmp_path):
    again = FILES["f/t/hook.http_trigger.yaml"].replace(":channel", ":name")

    problems = problems_of(tmp_path, {**FILES, "f/t/other.http_trigger.yaml": again})

    assert [problem.key for problem in problems] == ["route_path"]


def test_a_relative_import_is_followed(tmp_path):
    text = FILES["f/t/load.py"].replace("from f.t.words", "from .words")

    assert problems_of(tmp_path, {**FILES, "f/t/load.py": text}) == []


def test_without_a_list_of_requirements_any_package_may_be_imported(tmp_path):
    files = {**FILES, "f/t/load.py": FILES["f/t/load.py"].replace("psycopg2", "urllib3")}
    del files["requirements.txt"]

    assert problems_of(tmp_path, files) == []


def test_a_pin_in_the_script_counts_as_a_requirement(tmp_path):
    pinned = FILES["f/t/load.py"].replace("psycopg2", "urllib3  # pin: urllib3==2.8.0")

    assert problems_of(tmp_path, {**FILES, "f/t/load.py": pinned}) == []


def test_a_refusal_lists_every_problem_on_a_line_of_its_own(tmp_path):
    write_files(tmp_path, {**FILES, "f/t/a.py": "", "f/t/b.py": ""})

    with pytest.raises(WorkspaceRefused) as refusal:
        load_checked_workspace(tmp_path)

    lines = str(refusal.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["f/t/a.py", "f/t/b.py"]


def test_what_a_real_server_exports_is_accepted_but_for_what_we_cannot_run():
    if not CANONICAL.exists():
        pytest.skip("the shared canonical workspace is not here")

    problems = check_workspace(load_workspace(CANONICAL))

    assert [problem.key for problem in problems] == ["restart_unless_cancelled"]


def test_our_own_workspace_loads():
    assert load_checked_workspace(ROOT).flows
