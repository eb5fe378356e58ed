"""What raters are asked: the protocols, the fields of each, and the scale that decides.

Imports nothing heavy: the options of the command read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Level = Literal["nominal", "ordinal", "interval", "ratio"]
LABELS = "ABCDEFGHIJ"
"""How the translations of a row are called; which system is behind a label differs by row."""

LEAST_MINUTES = 0.05
"""Three seconds: less would be a mistake where somebody types it."""


@dataclass(frozen=True, slots=True)
class Field:
    """Something that a rater fills in for each translation of a row."""

    name: str
    low: float = 0.0
    high: float = 0.0
    is_whole: bool = False
    """Whether only whole numbers are allowed."""
    is_text: bool = False
    default: float | None = None
    """Value of an empty cell; None: the cell must be filled in."""

    @property
    def rule(self) -> str:
        """Write which numbers are allowed."""
        kind = "a whole number" if self.is_whole else "a number"
        return f"{kind} from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Protocol:
    """A way to rate translations."""

    name: str
    about: str
    fields: tuple[Field, ...]
    instructions: str
    """What a rater is told."""
    gain: float | None
    """Least gain, in points of `points`, by default; None: the protocol decides nothing."""
    level: Level
    """Level of measurement of `fields[-1]` for Krippendorff's alpha."""
    one_system: bool = False
    """Whether a rater gets the translation of one system only of each sentence."""

    def points(self, values: Mapping[str, float]) -> float:
        """Return the quality of a translation on a scale of 0-100, from the fields of a rating."""
        match self.name:
            case "adequacy-fluency":
                return 25 * ((values["adequacy"] - 1) + (values["fluency"] - 1)) / 2
            case "pairwise":
                # Two systems differ by 100, 0 or -100: the mean is the difference of their wins.
                return -100 * values["rank"]
            case _:
                return values["score"]


_SCORE = Field("score", 0, 100)

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "da",
            "direct assessment: a score of 0-100",
            (_SCORE,),
            "Give each translation a score from 0 (no meaning of the source is kept) to 100 "
            "(perfect meaning and grammar).",
            3.0,
            "interval",
        ),
        Protocol(
            "esa",
            "error span annotation: minor and major errors, then a score of 0-100",
            (
                Field("minor", 0, 1000, is_whole=True, default=0.0),
                Field("major", 0, 1000, is_whole=True, default=0.0),
                _SCORE,
            ),
            "Find the errors of each translation first, and count the minor ones (style, grammar) "
            "and the major ones (a change of meaning). Then give a score from 0 to 100.",
            3.0,
            "interval",
        ),
        Protocol(
            "adequacy-fluency",
            "adequacy and fluency, each from 1 to 5",
            (Field("adequacy", 1, 5, is_whole=True), Field("fluency", 1, 5, is_whole=True)),
            "Adequacy: how much of the meaning is kept, from 1 (none) to 5 (all). Fluency: how "
            "good the language is, from 1 (incomprehensible) to 5 (flawless).",
            3.0,
            "ordinal",
        ),
        Protocol(
            "pairwise",
            "ranks: the best translation of a row is 1, equally good ones have the same rank",
            (Field("rank", 1, len(LABELS), is_whole=True),),
            "Rank the translations of each row: 1 is the best one. Equally good translations get "
            "the same rank.",
            10.0,
            "ordinal",
        ),
        Protocol(
            "post-editing",
            "a corrected translation, and the minutes that it took",
            (Field("post-edit", is_text=True), Field("minutes", LEAST_MINUTES, 600)),
            "Correct the translation with as few changes as possible, and write down how many "
            "minutes you took. An unchanged cell means that nothing had to be corrected.",
            None,
            "interval",
            one_system=True,
        ),
    )
}
