"""Sealed secrets open with their key, at their place, and nowhere else."""

import base64

import pytest

from f.shared.crypto import open_sealed, seal
from f.shared.errors import Misconfigured
from tests.conftest import SEALING_KEY

OTHER_KEY = base64.b64encode(bytes(32)).decode()


def test_what_was_sealed_opens_at_its_place():
    sealed = seal(SEALING_KEY, "s3cret", "channels:1")

    assert open_sealed(SEALING_KEY, sealed, "channels:1") == "s3cret"
    assert "s3cret" not in sealed


@pytest.mark.parametrize(
    ("key", "place"), [(OTHER_KEY, "channels:1"), (SEALING_KEY, "channels:2"), ("no", "channels:1")]
)
def test_another_key_or_place_does_not_open_it(key, place):
    sealed = seal(SEALING_KEY, "s3cret", "channels:1")

    with pytest.raises(Misconfigured) as error:
        open_sealed(key, sealed, place)

    assert "s3cret" not in str(error.value)
