"""The only reader of a command line's settings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmt.config.layers import flatten, merge, nest, read_layer, read_overrides
from nmt.config.root import Config
from nmt.errors import ConfigError


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """Settings, and the keys that the user set."""

    config: Config
    user_set: frozenset[str]
    """Dotted keys that a file, a word or the base sets, even to the default."""

    # The keys are kept apart from the config, because other values are filled in later, by a
    # search or an earlier step, and these must not count as the user's.

    def words(self) -> list[str]:
        """Write the keys that the user set as the `key=value` words that `load_config` reads back.

        Raises:
            ConfigError: a text looks like a YAML value, so it cannot be written as a word.
        """
        settings = flatten(self.config.model_dump(mode="json"))
        return [
            f"{key}={_write_value(key, value)}"
            for key, value in settings.items()
            if key in self.user_set
        ]


def load_config(
    files: Sequence[str | Path] = (),
    overrides: Sequence[str] = (),
    *,
    base: tuple[str, Mapping[str, Any]] = ("", {}),
) -> Config:
    """Read the settings alone; see `load_with_user_set`."""
    return load_with_user_set(files, overrides, base=base).config


def load_with_user_set(
    files: Sequence[str | Path] = (),
    overrides: Sequence[str] = (),
    *,
    base: tuple[str, Mapping[str, Any]] = ("", {}),
) -> LoadedConfig:
    """Read the settings from the defaults, a base, YAML files and words; later ones win.

    Args:
        files: YAML files; later ones replace earlier ones.
        overrides: `key=value` words, which replace all files.
        base: where a tree of settings comes from, for messages, and the tree, which replaces the
            defaults.

    Raises:
        ConfigError: a file or a setting cannot be used.
    """
    origin, tree = base[0], dict(base[1])
    origins = dict.fromkeys(flatten(tree), origin)
    for file in files:
        layer = read_layer(Path(file))
        tree = merge(tree, layer)
        origins |= dict.fromkeys(flatten(layer), str(file))
    words = nest(read_overrides(overrides))
    origins |= dict.fromkeys(flatten(words), "the command line")
    tree = merge(tree, words)
    # Not the keys of `origins`: a later layer may have replaced the section of some of them.
    return LoadedConfig(Config.parse(tree, origins), frozenset(flatten(tree)))


def _write_value(key: str, value: object) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    # `read_overrides` would read such a text as YAML.
    if value == "null" or value[:1] in ("[", "{"):
        raise ConfigError(f"{key}: '{value}' cannot be passed on as {key}=VALUE: rename it")
    return value
