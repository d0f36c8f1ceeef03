"""Read YAML as Windmill's CLI does: version 1.2's core schema, where `on` and dates are text."""

import re
from pathlib import Path

import yaml

_Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_CORE_SCHEMA = [
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", "~nN\0"),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+0123456789.",
    ),
]


class _CoreLoader(_Base):
    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        self._refuse_repeated_keys(node)
        return super().construct_mapping(node, deep)

    def _refuse_repeated_keys(self, node):
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} occurs more than once", node.start_mark
                )


def _construct_int(loader, node):
    text = loader.construct_scalar(node)
    return int(text, 16) if text.startswith("0x") else int(text)


for _tag, _pattern, _first in _CORE_SCHEMA:
    _CoreLoader.add_implicit_resolver(_tag, re.compile(rf"^(?:{_pattern})$"), list(_first) + [""])
_CoreLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)


def parse_yaml(text: str):
    return yaml.load(text, Loader=_CoreLoader)  # noqa: S506 (a safe loader's subclass)


def read_yaml(file: Path):
    return parse_yaml(file.read_text(encoding="utf-8"))
