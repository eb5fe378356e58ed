"""The hash that a JSON record carries of itself, so that no change of it goes unnoticed."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

SEAL = "sha256"


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Add the hash of a record to it."""
    return {**content, SEAL: _digest(content)}


def is_changed(content: Mapping[str, Any]) -> bool:
    """Tell whether a record differs from its own hash; those of earlier releases have none."""
    return SEAL in content and content[SEAL] != _digest(content)


def _digest(content: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in content.items() if key != SEAL}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
