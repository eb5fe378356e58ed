"""The texts that are scored: hypotheses, and references as streams."""

import unicodedata
from collections.abc import Sequence
from functools import partial

from nmt.errors import DataError

Streams = Sequence[Sequence[str]]
"""`streams[r][i]` is reference `r` of sentence `i`."""


def check_texts(hypotheses: Sequence[str], references: Streams) -> None:
    """Check that every sentence has a hypothesis and each reference.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    if not references:
        raise DataError("no references: at least one list of references is needed")
    for stream in references:
        if len(stream) != len(hypotheses):
            raise DataError(
                f"{len(hypotheses)} hypotheses for {len(stream)} references: "
                "every reference needs one hypothesis"
            )
    if not hypotheses:
        raise DataError("no sentences to score")


def compose(texts: Sequence[str]) -> list[str]:
    """Bring texts to NFC."""
    return list(map(partial(unicodedata.normalize, "NFC"), texts))


def is_composed(texts: Sequence[str]) -> bool:
    """Tell whether all texts are in NFC."""
    return all(unicodedata.is_normalized("NFC", text) for text in texts)
