"""Check resources, variables, resource types and folders: their keys, and what they refer to."""

from collections.abc import Iterator

from runner.checks.documents import Documents
from runner.checks.file_shapes import FOLDER, RESOURCE, RESOURCE_TYPE, VARIABLE
from runner.checks.problems import Problem
from runner.checks.step_inputs import reference_findings

SHAPES = {
    "resource": RESOURCE,
    "variable": VARIABLE,
    "resource-type": RESOURCE_TYPE,
    "folder": FOLDER,
}


def setting_problems(documents: Documents) -> Iterator[Problem]:
    for setting in documents.settings:
        if setting.kind in SHAPES:
            findings = [*SHAPES[setting.kind].findings(setting.content, "")]
            findings += reference_findings(setting.content.get("value"), "value")
            for key, sentence in findings:
                yield Problem(setting.file, key, sentence)
