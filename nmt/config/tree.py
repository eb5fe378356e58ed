"""Settings as a tree of plain values, before they are validated."""

from collections.abc import Mapping
from typing import Any, TypeGuard


def is_tree(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell whether a plain value is a mapping, whose keys are always text."""
    return isinstance(value, Mapping)
