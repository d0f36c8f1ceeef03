"""./chatmill conformance: a file that is no file of cases is said so."""

import pytest

from local.conformance import check_form
from local.errors import CannotRun


@pytest.mark.parametrize("text", ["{", "[1]", "{}", '{"cases": [{"name": "x", "args": {}}]}'])
def test_a_file_of_another_form_is_refused_in_words(tmp_path, text):
    file = tmp_path / "cases.json"
    file.write_text(text)

    with pytest.raises(CannotRun, match="is not"):
        check_form(file)
