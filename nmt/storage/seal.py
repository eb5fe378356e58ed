"""A hash that a JSON record contains of itself, so that every change to it is noticed."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeGuard

SEAL = "sha256"


def sealed(content: Mapping[str, object]) -> dict[str, object]:
    """Add the hash of a record to it."""
    return {**content, SEAL: _digest(content)}


def is_changed(content: Mapping[str, object]) -> bool:
    """Tell whether a record differs from its own hash; records of old releases have none."""
    return SEAL in content and content[SEAL] != _digest(content)


def is_json_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a value that was read from JSON is an object, whose keys are always text."""
    return isinstance(value, dict)


def _digest(content: Mapping[str, object]) -> str:
    plain = {key: value for key, value in content.items() if key != SEAL}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
