"""The house style as tests: what a reader may rely on in every file of ours."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = sorted((ROOT / "f").rglob("*.py"))
SOURCE = PRODUCT + sorted((ROOT / "runner").rglob("*.py")) + sorted((ROOT / "local").rglob("*.py"))
FLOWS = sorted((ROOT / "f").rglob("flow.yaml"))

MAY_IMPORT = {
    "shared": {"shared"},
    "channels": {"channels", "shared"},
    "knowledge": {"knowledge", "shared"},
    "agent": {"agent", "knowledge", "shared"},
    "chat": {"chat", "agent", "channels", "shared"},
    "ops": {"ops", "agent", "channels", "shared"},
}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(path: Path) -> list[ast.FunctionDef]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [node for node in ast.walk(tree(path)) if isinstance(node, kinds)]


def main_of(path: Path) -> ast.FunctionDef | None:
    found = [n for n in tree(path).body if isinstance(n, ast.FunctionDef) and n.name == "main"]
    return found[0] if found else None


@cache
def step_names() -> frozenset[str]:
    return frozenset(named(path)[:-3].replace("/", ".") for path in PRODUCT if main_of(path))


def imported(path: Path) -> list[str]:
    names = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names] + [node.module]
    return names


def sentence(path: Path) -> str:
    return " ".join((ast.get_docstring(tree(path)) or "").split("\n\n")[0].split())


def metadata(path: Path) -> dict:
    return yaml.safe_load(path.with_suffix(".script.yaml").read_text())


def steps(modules: list[dict]):
    for module in modules:
        yield module
        value = module["value"]
        for branch in value.get("branches", []):
            yield from steps(branch["modules"])
        yield from steps(value.get("modules", []) + value.get("default", []))


each_source = pytest.mark.parametrize("path", SOURCE, ids=named)
each_product = pytest.mark.parametrize("path", PRODUCT, ids=named)
each_flow = pytest.mark.parametrize("path", FLOWS, ids=named)


@each_source
def test_a_file_opens_with_one_sentence_and_stays_short(path):
    assert sentence(path), "say in one sentence what the file is for"
    assert len(path.read_text().splitlines()) <= 300


@each_source
def test_no_function_is_longer_than_sixty_lines(path):
    long = [f.name for f in functions(path) if f.end_lineno - f.lineno >= 60]

    assert long == []


@each_source
def test_file_names_are_importable_and_say_what_they_hold(path):
    assert path.stem.isidentifier()
    assert not re.search(r"utils|helper|common|manager|_v\d", path.stem)


@each_source
def test_nothing_is_marked_as_left_to_do(path):
    assert not re.search(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError", path.read_text())


@each_product
def test_imports_go_one_way(path):
    folder = path.relative_to(ROOT / "f").parts[0]
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("f.")}

    assert ours <= MAY_IMPORT[folder]
    assert not any(name.split(".")[0] in {"runner", "local", "tests"} for name in imported(path))


@each_product
def test_no_step_imports_another_step(path):
    assert step_names().isdisjoint(imported(path))


@each_product
def test_imports_stand_where_windmill_sees_them(path):
    body = tree(path).body
    main = main_of(path)
    top = {node for node in body if isinstance(node, ast.Import | ast.ImportFrom)}
    every = {n for n in ast.walk(tree(path)) if isinstance(n, ast.Import | ast.ImportFrom)}

    assert len(every) == len(top), "an import inside a function is not in the lock file"
    assert main is None or all(node.lineno < main.lineno for node in top)


@each_product
def test_a_main_is_short_and_its_form_can_be_filled_in(path):
    main = main_of(path)
    if main is None:
        return
    arguments = main.args

    assert main.end_lineno - main.lineno < 40
    assert not (arguments.kwonlyargs or arguments.posonlyargs), "Windmill does not read them"
    assert all(argument.annotation for argument in arguments.args)
    assert not any(isinstance(default, ast.Call) for default in arguments.defaults)


@each_product
def test_no_parameter_shadows_a_function_of_its_file(path):
    names = {node.name for node in tree(path).body if isinstance(node, ast.FunctionDef)}
    shadows = [a.arg for f in functions(path) for a in f.args.args if a.arg in names]

    assert shadows == []


@each_product
def test_a_scripts_summary_is_its_docstrings_sentence(path):
    if path.parent.name.endswith("__flow"):
        return

    assert metadata(path)["summary"] == sentence(path).removesuffix(".")


@each_product
def test_a_scripts_form_is_its_signature(path):
    main = main_of(path)
    schema = metadata(path)["schema"] if main else {"properties": {}}
    names = [argument.arg for argument in main.args.args] if main else []

    assert set(schema["properties"]) == set(names)
    assert schema.get("order", []) == names
    assert all(field["description"] for field in schema["properties"].values())


@each_product
def test_errors_are_raised_never_returned(path):
    text = path.read_text()

    assert not re.search(r"""["']success["']\s*:""", text)


def test_no_function_body_stands_twice():
    bodies = defaultdict(list)
    for path in SOURCE:
        for function in functions(path):
            body = ast.unparse(function.body)
            if body.count("\n") >= 3:
                bodies[body].append(f"{named(path)}:{function.name}")

    assert [places for places in bodies.values() if len(places) > 1] == []


@each_flow
def test_step_ids_are_the_names_of_their_scripts(path):
    for module in steps(yaml.safe_load(path.read_text())["value"]["modules"]):
        assert module["summary"]
        if module["value"]["type"] == "script":
            script = ROOT / f"{module['value']['path']}.py"
            assert module["id"] == script.stem
            assert module["summary"] == metadata(script)["summary"]


@each_flow
def test_a_step_takes_exactly_what_its_main_wants(path):
    value = yaml.safe_load(path.read_text())["value"]
    for module in [*steps(value["modules"]), value["failure_module"]]:
        if module["value"]["type"] == "script":
            main = main_of(ROOT / f"{module['value']['path']}.py")
            assert set(module["value"]["input_transforms"]) == {a.arg for a in main.args.args}


@each_flow
def test_a_flow_has_a_failure_module_and_a_timeout_on_every_step(path):
    value = yaml.safe_load(path.read_text())["value"]

    assert value["failure_module"]
    for module in steps(value["modules"]):
        kind = module["value"]["type"]
        assert "timeout" in module or kind in ("branchall", "branchone", "whileloopflow")


@each_flow
def test_an_expression_decides_at_most_one_thing(path):
    assert not re.search(r"expr: .*(&&|\|\|).*(&&|\|\|)", path.read_text())


@each_flow
def test_no_text_and_no_secret_travels_between_steps(path):
    forbidden = re.compile(r"results\.\w+\.(text|body|message|reply|question|token|secret)")

    assert not forbidden.search(path.read_text())


def test_every_error_class_is_drawn_in_its_tree_and_listed():
    errors = ROOT / "f" / "shared" / "errors.py"
    drawn = ast.get_docstring(tree(errors))
    listed = (ROOT / "docs" / "error_codes.md").read_text()
    bases = {"ChatmillError", "UpstreamError", "ToolError"}
    for node in tree(errors).body:
        if isinstance(node, ast.ClassDef):
            assert node.name in drawn
            assert node.name in bases or f"`{node.name}`" in listed


def test_every_code_that_a_sender_may_read_is_listed():
    listed = (ROOT / "docs" / "error_codes.md").read_text()
    pattern = re.compile(
        r'(?:WebhookRefused\(\s*\d{3},|InputRefused\()\s*"(\w+)"|"((?:document|url)_\w+)": "'
    )
    codes = {a or b for path in PRODUCT for a, b in pattern.findall(path.read_text())}

    assert codes and all(f"`{code}`" in listed for code in codes)


def test_every_alert_our_code_raises_is_listed():
    listed = (ROOT / "docs" / "error_codes.md").read_text()
    places = [*PRODUCT, *(ROOT / "db" / "migrations").glob("*.sql")]
    pattern = re.compile(r"raise_alert\([^;]*?'(?:info|warning|error)',\s*'(\w+)'", re.S)
    codes = {code for path in places for code in pattern.findall(path.read_text())}

    assert {"turn_buried", "step_failed"} <= codes
    assert all(f"`{code}`" in listed for code in codes)


def test_a_push_can_only_touch_our_folders():
    config = yaml.safe_load((ROOT / "wmill.yaml").read_text())
    folders = {f"f/{path.name}/**" for path in (ROOT / "f").iterdir() if path.is_dir()}

    assert set(config["includes"]) == {name for name in folders if "__pycache__" not in name}
    assert config["skipResources"] and config["skipVariables"] and config["skipSecrets"]


def test_the_readme_can_be_read_in_a_sitting():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


@each_product
def test_windmill_can_follow_our_imports(path):
    # Its parser reads `from f.chat import turns` as the script f/chat, and loses what turns needs.
    froms = [n for n in ast.walk(tree(path)) if isinstance(n, ast.ImportFrom)]

    assert [n.module for n in froms if re.fullmatch(r"f\.\w+", n.module or "")] == []


def test_pins_under_f_are_the_versions_of_requirements_txt():
    required = set(re.findall(r"^\S+==\S+$", (ROOT / "requirements.txt").read_text(), re.M))
    pinned = set()
    for path in PRODUCT:
        text = path.read_text()
        pins = re.findall(r"# (?:pin: )?([\w-]+==\S+)$", text, re.M)
        pinned |= set(pins)
        # Its parser counts bytes where it should count characters: a pin behind an accent is lost.
        assert not pins or text[: text.rindex(pins[-1])].isascii(), path

    assert pinned == required
