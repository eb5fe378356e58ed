"""A reader for YAML 1.2 that refuses text which would be lost or misread."""

import re
from typing import Any

import yaml

from nmt.errors import ConfigError

_TAG = "tag:yaml.org,2002:"
_PLAIN = ("null", "bool", "int", "float", "str", "seq", "map")


# PyYAML reads YAML 1.1, where `no` is false and `12:30` is a number in base 60. In YAML 1.2, `1e-4`
# is a number and `010` is ten; `no`, `2026-01-31` and `12:30` are text.
class _Loader(yaml.SafeLoader):
    """A loader with the scalars of YAML 1.2."""

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Read an integer: decimal, `0o17` or `0x1f`."""
        text = str(self.construct_scalar(node))
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in (f"{_TAG}null", f"{_TAG}merge")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _kind, _pattern, _first_characters in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
    (
        "float",
        r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$",
        "-+.0123456789",
    ),
):
    for _first in _first_characters:
        _resolvers = _Loader.yaml_implicit_resolvers.setdefault(_first, [])
        _resolvers.append((f"{_TAG}{_kind}", re.compile(_pattern)))
_Loader.yaml_constructors = {
    tag: construct
    for tag, construct in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.removeprefix(_TAG) in _PLAIN
}
_Loader.add_constructor(f"{_TAG}int", _Loader.construct_yaml_int)


def parse_yaml(text: str, place: str) -> Any:  # noqa: ANN401 - a plain YAML value
    """Read one YAML document as a plain value whose mappings have text as keys.

    Args:
        text: the document.
        place: where it was given; begins each message.

    Raises:
        ConfigError: the document is not valid YAML, repeats a key of a mapping, or has an alias
            of a value that contains the alias.
    """
    try:
        loader: Any = _Loader(text)  # PyYAML's types cover only a part of its loaders
        node: yaml.Node | None = loader.get_single_node()
        if node is None:
            return None
        _check_keys(node, "", [], set(), place)
        return loader.construct_document(node)
    except ConfigError:
        raise
    except yaml.YAMLError as error:
        raise ConfigError(f"{place}: not valid YAML: {_first_line(error)}") from None
    except RecursionError:
        raise ConfigError(f"{place}: not valid YAML: nested too deeply") from None
    except (ValueError, LookupError) as error:
        # A value does not fit its own tag, such as `!!int x`.
        raise ConfigError(f"{place}: not valid YAML: {error}") from None


def _check_keys(
    node: yaml.Node, path: str, parents: list[yaml.Node], checked: set[int], place: str
) -> None:
    """Refuse repeated keys below a node, and convert each key to text.

    Args:
        node: the node to check.
        path: its dotted key.
        parents: the nodes that contain it.
        checked: ids of the nodes that are already checked.
        place: begins each message.
    """
    if node in parents:
        raise ConfigError(f"{place}: {path or 'the document'} contains an alias of itself")
    # An alias is the same node object as its anchor: without `checked`, a document of nested
    # aliases would take exponential time.
    if id(node) in checked or isinstance(node, yaml.ScalarNode):
        return
    parents = [*parents, node]
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(item, path, parents, checked, place)
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            name, line = _read_key(key, place), key.start_mark.line + 1
            dotted = f"{path}.{name}" if path else name
            if name in lines:
                raise ConfigError(f"{place}: {dotted} is given twice{_lines(lines[name], line)}")
            lines[name] = line
            _check_keys(value, dotted, parents, checked, place)
    checked.add(id(node))


def _read_key(key: yaml.Node, place: str) -> str:
    if not isinstance(key, yaml.ScalarNode):
        line = key.start_mark.line + 1
        raise ConfigError(f"{place}: the key in line {line} is not a word")
    # Keys stay text, whatever they look like. Only `<<`, which merges mappings, keeps its meaning.
    if key.tag != f"{_TAG}merge":
        key.tag = f"{_TAG}str"
    return key.value


def _first_line(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        parts = ", ".join(part for part in (error.context, error.problem) if part)
        return f"line {mark.line + 1}, column {mark.column + 1}: {parts}"
    return str(error).partition("\n")[0]


def _lines(first: int, second: int) -> str:
    where = f"line {first}" if first == second else f"lines {first} and {second}"
    return f", in {where}: keep one of them"
