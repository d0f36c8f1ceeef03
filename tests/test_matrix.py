"""tests/matrix.md is honest: every case is a test by its name, or is listed with the reason.

How many cases there are stands in matrix.md itself, not in the text that they come from: that
lies outside of the repository, and a clone must be able to run its tests.
"""

import re

from local.places import ROOT

PAGE = (ROOT / "tests" / "matrix.md").read_text()
ROW = re.compile(r"^\| ([A-Z]\d\d) \| \S.* \|$", re.M)


def cases() -> set[str]:
    sections = re.findall(r"^\| ([A-Z]) \| (\d+) \|", PAGE, re.M)
    return {f"{letter}{n:02d}" for letter, count in sections for n in range(1, int(count) + 1)}


def with_a_test() -> set[str]:
    names = [
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def test_((?:[a-z]\d\d_)+)", path.read_text(), re.M)
    ]
    return {case.upper() for name in names for case in name.split("_") if case}


def listed(heading: str) -> list[str]:
    return ROW.findall(PAGE.split(f"## {heading}\n")[1].split("\n## ")[0])


def test_every_case_of_the_matrix_is_a_test_or_says_why_not():
    missing = cases() - with_a_test() - set(listed("No test yet"))

    assert len(cases()) == 179
    assert sorted(missing) == [], "name a test after it, or list it in tests/matrix.md"


def test_no_case_is_listed_that_has_its_test():
    assert sorted(set(listed("No test yet")) & with_a_test()) == [], "take it off tests/matrix.md"
    assert sorted(set(listed("Tested but for")) - with_a_test()) == [], "that one has no test"


def test_every_case_is_listed_once_and_is_one():
    rows = listed("No test yet") + listed("Tested but for")

    assert len(rows) == len(set(rows)) > 0
    assert sorted(set(rows) - cases()) == []
