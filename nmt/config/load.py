"""The only reader of a command line's settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nmt.config.layers import merge, nest, read_layer, read_overrides
from nmt.config.root import Config, flatten


def load_config(
    files: Sequence[str | Path] = (),
    overrides: Sequence[str] = (),
    *,
    base: tuple[str, Mapping[str, Any]] = ("", {}),
) -> Config:
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
    return Config.parse(merge(tree, words), origins)
