"""Layers of settings: YAML files and `key=value` words, merged into one tree of plain values."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from nmt.config.sections.adapter import DEFAULT_ADAPTER
from nmt.config.sections.strategy import DEFAULT_STRATEGY
from nmt.config.tree import is_tree
from nmt.config.yaml_reader import parse_yaml
from nmt.errors import ConfigError

DEFAULT_TYPES = {"adapter": DEFAULT_ADAPTER.type, "strategy": DEFAULT_STRATEGY.type}
_SPACE, _METHOD_SPACE = "tune.space", "tune.method_space"


def read_layer(path: Path) -> dict[str, Any]:
    """Read a YAML file as a tree.

    Raises:
        ConfigError: the file cannot be read, is not UTF-8, YAML or a mapping, or has a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"--config {path}: no such file") from None
    except OSError as error:
        raise ConfigError(f"--config {path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"--config {path}: byte {error.start} is not UTF-8") from None
    raw = parse_yaml(text, f"--config {path}")
    # A file that is empty or has only comments sets nothing.
    if raw is None:
        return {}
    if not is_tree(raw):
        raise ConfigError(f"--config {path}: holds a {type(raw).__name__}, expected `key: value`")
    return dict(raw)


def read_overrides(words: Sequence[str]) -> dict[str, Any]:
    """Read `key=value` words as dotted keys.

    Raises:
        ConfigError: a word is not an override, or a key is given twice.
    """
    overrides: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not all(key.split(".")):
            raise ConfigError(f"'{word}' is not an override: write key=value, like run=demo")
        if key in overrides:
            raise ConfigError(f"{key} is given twice: '{overrides[key]}' and '{text}'")
        overrides[key] = _read_value(key, text)
    return overrides


def _read_value(key: str, text: str) -> Any:  # noqa: ANN401 - a plain YAML value
    # Other text is left for the schema to convert, which knows the type of the key: `run=123`
    # stays a name, and `training.learning_rate=1e-4`, which is text in YAML, becomes a number.
    if text == "null":
        return None
    if text[:1] in ("[", "{"):
        return parse_yaml(text, f"{key}={text}")
    return text


def nest(dotted: Mapping[str, Any]) -> dict[str, Any]:
    """Convert dotted keys to a tree: `{"a.b": 1}` becomes `{"a": {"b": 1}}`.

    Raises:
        ConfigError: a key is below another one that has a plain value, or is given twice.
    """
    tree: dict[str, Any] = {}
    # Short keys first, so that a section given whole is there before the keys inside it.
    for key, value in sorted(dotted.items(), key=lambda item: item[0].count(".")):
        parents, leaf = _place_of(key)
        node: dict[str, Any] = tree
        for parent in parents:
            node.setdefault(parent, {})
            if not is_tree(node[parent]):
                raise ConfigError(f"{key} is below a key that is set to a plain value")
            node = node[parent]
        if leaf in node:
            raise ConfigError(f"{key} is given twice")
        # A copy, because a longer key may add to this value, which belongs to the caller.
        node[leaf] = deepcopy(value)
    return tree


def _place_of(key: str) -> tuple[list[str], str]:
    """Split a dotted key into the keys of its parents and its own."""
    # The rest of a key of a search space is one key, since it is the name of a setting.
    if key.startswith(f"{_SPACE}."):
        return [*_SPACE.split(".")], key.removeprefix(f"{_SPACE}.")
    if key.startswith(f"{_METHOD_SPACE}."):
        method, _, setting = key.removeprefix(f"{_METHOD_SPACE}.").partition(".")
        parents: list[str] = [*_METHOD_SPACE.split(".")]
        return ([*parents, method], setting) if setting else (parents, method)
    *parents, leaf = key.split(".")
    return parents, leaf


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Map the dotted key of each leaf to its value."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        dotted = f"{prefix}{key}"
        # A search space is one leaf, since its own keys contain dots.
        if is_tree(value) and dotted not in (_SPACE, _METHOD_SPACE):
            flat |= flatten(value, f"{dotted}.")
        else:
            flat[dotted] = value
    return flat


def merge(under: Mapping[str, Any], over: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Merge two trees; values of the second replace those of the first."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        if is_tree(value) and is_tree(below) and not _replaces(f"{path}{key}", below, value):
            merged[key] = merge(below, value, f"{path}{key}.")
        else:
            merged[key] = value
    return merged


def _replaces(path: str, below: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Tell whether a section replaces the one below it, instead of changing single keys of it."""
    # Merged, no layer could remove a range from the search space.
    if path == _SPACE or path.startswith(f"{_METHOD_SPACE}."):
        return True
    # The keys of one type are unknown to another.
    return "type" in value and value["type"] != below.get("type", DEFAULT_TYPES.get(path))
