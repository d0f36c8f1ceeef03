"""Every kind of channel keeps the same small contract."""

import ast
import inspect
from pathlib import Path

import pytest

from f.channels.registry import LIBRARIES, ChannelLibrary, MediaLibrary, library, media_library
from f.shared.errors import Misconfigured

FOLDER = Path(__file__).parents[2] / "f" / "channels"
CONTRACT = [
    *("handshake", "verify", "parse", "acknowledged", "split_text", "send_text", "show_typing"),
    *("check", "subscribe"),
]


@pytest.mark.parametrize("kind", LIBRARIES)
@pytest.mark.parametrize("name", CONTRACT)
def test_every_library_has_every_function_of_the_contract(kind, name):
    asked = [*inspect.signature(getattr(ChannelLibrary, name)).parameters][1:]
    given = inspect.signature(getattr(library(kind), name)).parameters

    assert [*given] == asked


@pytest.mark.parametrize("kind", LIBRARIES)
def test_every_library_has_one_of_files_beside_it(kind):
    given = inspect.signature(media_library(kind).fetch_media).parameters

    assert [*given] == [*inspect.signature(MediaLibrary.fetch_media).parameters][1:]


def test_an_unknown_kind_is_a_setting_to_correct():
    with pytest.raises(Misconfigured, match="'fax'.*telegram.*web, whatsapp"):
        library("fax")


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.name)
def test_channels_know_nothing_of_the_agent_and_its_knowledge(file):
    imported = [
        node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom | ast.Import)
    ]

    assert not [name for name in imported if name.startswith(("f.agent", "f.knowledge", "f.chat"))]
