"""./chatmill bench splitting: what it takes and what it says of itself."""

import pytest

from bench import commands
from bench.splitting import parse


def test_help_is_printed_and_nothing_is_run(capsys):
    with pytest.raises(SystemExit) as ended:
        commands.main(["splitting", "--help"])

    assert ended.value.code == 0
    assert "10,000 generated texts" in capsys.readouterr().out


def test_channels_and_a_number_may_be_named():
    options = parse(["telegram", "web", "--texts", "5"])

    assert (options.channels, options.texts) == (["telegram", "web"], 5)
    assert parse([]).channels == []


def test_a_channel_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit):
        parse(["pigeon"])

    assert "there is no channel pigeon" in capsys.readouterr().err
