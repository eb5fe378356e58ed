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
_SPACE = "tune.space"


def read_layer(path: Path) -> dict[str, Any]:
    """Read a YAML file as a tree.

    Raises:
        ConfigError: the file is missing, is not UTF-8, not YAML, not a mapping, or gives a key
            twice.
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
        overrides[key] = _scalar(key, text)
    return overrides


def _scalar(key: str, text: str) -> Any:  # noqa: ANN401 - a plain YAML value
    # Other text is left for the schema to convert: `run=123` stays a name, and
    # `training.learning_rate=1e-4` becomes a number.
    if text == "null":
        return None
    if text[:1] in ("[", "{"):
        return parse_yaml(text, f"{key}={text}")
    return text


def nest(dotted: Mapping[str, Any]) -> dict[str, Any]:
    """Convert dotted keys to a tree: `{"a.b": 1}` becomes `{"a": {"b": 1}}`.

    Raises:
        ConfigError: a key is below another one.
    """
    tree: dict[str, Any] = {}
    for key, value in sorted(dotted.items(), key=lambda item: item[0].count(".")):
        # The rest of such a key is one key, since it is the name of a setting.
        if key.startswith(f"{_SPACE}."):
            parents, leaf = _SPACE.split("."), key.removeprefix(f"{_SPACE}.")
        else:
            *parents, leaf = key.split(".")
        node: dict[str, Any] = tree
        for parent in parents:
            node.setdefault(parent, {})
            if not is_tree(node[parent]):
                raise ConfigError(f"{key} is below a key that is set to a plain value")
            node = node[parent]
        if leaf in node:
            raise ConfigError(f"{key} is given twice")
        node[leaf] = deepcopy(value)
    return tree


def merge(under: Mapping[str, Any], over: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Merge two trees; values of the second replace those of the first."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        if is_tree(value) and is_tree(below) and not _replaced(f"{path}{key}", below, value):
            merged[key] = merge(below, value, f"{path}{key}.")
        else:
            merged[key] = value
    return merged


def _replaced(path: str, below: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    # The keys of one type mean nothing to another. A new search space replaces the old one, so that
    # a search can drop a dimension.
    before = below.get("type", DEFAULT_TYPES.get(path))
    return path == _SPACE or ("type" in value and value["type"] != before)
