"""An internet of two names that are public and one that is not."""

import pytest

from f.shared.errors import InputRefused
from f.shared.fetch_refusals import SENTENCES
from f.shared.safe_fetch import Rules, fetch
from tests.shared.fake_internet import PRIVATE, PUBLIC, FakeInternet, answer

QUICK = Rules(seconds=0.4)


@pytest.fixture
def internet(tmp_path):
    fake = FakeInternet(tmp_path)
    fake.names = {
        "shop.example": [[PUBLIC]],
        "media.example": [[PUBLIC]],
        "inside.example": [[PRIVATE]],
    }
    fake.web.answers["/"] = answer()
    yield fake
    fake.close()
    assert fake.internal.requests == []
    assert PRIVATE not in fake.opened


@pytest.fixture
def refusal(internet):
    """refusal(url, ...) -> the code it is refused with"""

    def run(url: str, rules: Rules = QUICK) -> str:
        with pytest.raises(InputRefused) as raised:
            fetch(url, rules, internet=internet)
        assert str(raised.value) == SENTENCES[raised.value.code]
        return raised.value.code

    return run
