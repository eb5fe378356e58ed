"""The one way from a command line to a `Config`."""

from collections.abc import Sequence
from pathlib import Path

from nmt.config.layers import merge, nest, read_layer, read_overrides
from nmt.config.root import Config, flatten


def load_config(files: Sequence[str | Path] = (), overrides: Sequence[str] = ()) -> Config:
    """Defaults, under YAML files from left to right, under `key=value` words.

    Raises:
        ConfigError: a file or a setting cannot be used.
    """
    tree: dict[str, object] = {}
    origins: dict[str, str] = {}
    for file in files:
        layer = read_layer(Path(file))
        tree = merge(tree, layer)
        origins |= dict.fromkeys(flatten(layer), str(file))
    words = nest(read_overrides(overrides))
    origins |= dict.fromkeys(flatten(words), "the command line")
    return Config.parse(merge(tree, words), origins)
