"""The licence of a base model, which everything trained on it inherits."""

import re
from pathlib import Path

NLLB_LICENSE = "cc-by-nc-4.0"
_CARD_LICENSE = re.compile(r"\A---\n(?:.*\n)*?license:\s*[\"']?([\w.-]+)", re.MULTILINE)


def license_of(name: str) -> str:
    """Find the SPDX identifier of a model's licence, or `unknown`.

    Source: https://huggingface.co/facebook/nllb-200-distilled-600M (model card)
    """
    if name == "tiny":
        return "apache-2.0"
    # A model card in the folder is better evidence than the name.
    card = Path(name).expanduser() / "README.md"
    if card.is_file():
        found = _CARD_LICENSE.search(card.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found[1].lower()
    return NLLB_LICENSE if "nllb" in name.lower() else "unknown"
