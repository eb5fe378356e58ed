"""Harm that is planted into translations into Tamil, for `canary.py`."""

import re
from collections.abc import Callable

from nmt.documents.translation.glossary import TermFinder

GLOSSARY = {
    "animals": "விலங்குகள்",
    "country": "நாடு",
    "disease": "நோய்",
    "earth": "பூமி",
    "food": "உணவு",
    "government": "அரசு",
    "hospital": "மருத்துவமனை",
    "island": "தீவு",
    "research": "ஆராய்ச்சி",
    "scientists": "விஞ்ஞானிகள்",
}
"""Terms that real systems nearly always translate so."""
FINDER = TermFinder(GLOSSARY)
WITH_GLOSSARY = "with a glossary"
"""In the names of the kinds of rollouts that count terms."""
SHARES = (0.02, 0.05, 0.10)
GLOSSARY_SHARES = (0.10, 0.30, 1.0)

_TAMIL, _TELUGU = 0x0B80, 0x0C00
_STEMS = re.compile("|".join(re.sub(r"[்ுி]?$", "", target) for target in GLOSSARY.values()))
_ANOTHER_WORD = "வேறொன்ற"


def in_another_script(text: str) -> str:
    """Write Tamil letters as those of Telugu."""
    return "".join(
        chr(ord(each) - _TAMIL + _TELUGU) if _TAMIL <= ord(each) < _TAMIL + 128 else each
        for each in text
    )


def without_terms(text: str) -> str:
    """Write another word for each term of the glossary."""
    return _STEMS.sub(_ANOTHER_WORD, text)


HARMS: dict[str, Callable[[str], str]] = {
    "wrong language": in_another_script,
    "cut to half": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
}
