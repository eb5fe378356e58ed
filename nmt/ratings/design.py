"""The design of a study: what is rated, by whom, in which order, and how often it is looked at.

It is fixed before the first sheet: the looks are valid only if nothing about them is chosen later.
"""

import random
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field, NonNegativeInt, PositiveInt

from nmt.config import digest_of
from nmt.errors import InputError
from nmt.ratings.protocols import LABELS, PROTOCOLS, Protocol
from nmt.runs.step_result import ResultPart
from nmt.storage import RecordKind

CONTROL_METRIC = "chrf++"
"""The metric whose difference is the control variate of a decision."""
LEAST_SENTENCES = 20
"""From so many on the bounds of a decision hold, also for ranks: the chance to accept an engine
that is not better was 5 to 6 % in simulation, and 27 % with two sentences a look."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


class RatedSegment(ResultPart):
    """A sentence of which not all translations are the same."""

    number: NonNegativeInt
    """Its place in the test set."""
    source: str
    translations: tuple[str, ...]
    """In the order of the systems."""
    scores: dict[str, tuple[float | None, ...]] = Field(default_factory=dict)
    """Metric -> score of each translation; null where it is unknown."""


class Design(ResultPart):
    """What is rated, by whom, in which order, and how a decision is made."""

    study: str
    run: str
    test_set: str
    source_language: str
    target_language: str
    protocol: str
    systems: tuple[str, ...]
    """The first is the baseline of a decision, the second the candidate."""
    raters: tuple[str, ...]
    rows: PositiveInt
    """Sentences of a batch."""
    shared: NonNegativeInt
    """Sentences of a batch that every rater gets, from which their agreement is computed."""
    looks: PositiveInt
    """How often a decision is looked for, once after each batch."""
    gain: float | None
    """Least gain of the candidate that matters; null: nothing is decided."""
    alpha: float
    """Chance to accept a candidate that is not better, over all looks."""
    slope: float
    """Rating points for each point of the metric, from earlier ratings; 0: the metric is left
    out."""
    seed: int
    nonce: str
    """Random: without it the ids of rows tell nothing."""
    sentences: PositiveInt
    """Sentences of the test set."""
    segments: tuple[RatedSegment, ...]
    """The sentences with different translations, in the order in which they are rated."""

    @property
    def share_differing(self) -> float:
        """Return the share of sentences with different translations, 0-1."""
        return len(self.segments) / self.sentences

    @property
    def how(self) -> Protocol:
        """Return the protocol."""
        return PROTOCOLS[self.protocol]

    @property
    def code(self) -> str:
        """Return a name for the study that tells a rater nothing."""
        return digest_of([self.nonce, self.study])[:6]

    def batch_segments(self, batch: int) -> range:
        """Return the places of the segments of a batch, counted from 1; empty after the last."""
        start = (batch - 1) * self.rows
        return range(min(start, len(self.segments)), min(start + self.rows, len(self.segments)))

    def raters_of(self, segment: int) -> int:
        """Return how many raters get a segment, by its place."""
        return len(self.raters) if segment % self.rows < self.shared else 1

    @property
    def batches(self) -> int:
        """Return the number of batches that the differing sentences make."""
        return -(-len(self.segments) // self.rows)


DESIGN = RecordKind(Design, "the design of a study")


@dataclass(frozen=True, slots=True)
class Outputs:
    """Translations of a test set by the systems that are compared."""

    test_set: str
    source_language: str
    target_language: str
    sources: Sequence[str]
    systems: Mapping[str, Sequence[str]]
    """System -> translation of each sentence."""
    scores: Mapping[str, Mapping[str, Sequence[float | None]]]
    """Metric -> system -> score of each sentence."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a user may choose of a design."""

    protocol: str = "da"
    raters: tuple[str, ...] = ("1",)
    rows: int = 50
    shared: int | None = None
    """None: a fifth of a batch if there are several raters."""
    looks: int = 6
    gain: float | None = None
    """None: the protocol's."""
    slope: float = 0.0
    alpha: float = 0.05


def make_design(run: str, study: str, outputs: Outputs, wishes: Wishes, seed: int) -> Design:
    """Draw the order of the segments, and fix everything else of a study.

    Raises:
        InputError: a wish cannot be met, or there is nothing to rate.
    """
    check_name("--name", study)
    protocol = PROTOCOLS[wishes.protocol]
    names = tuple(outputs.systems)
    default = protocol.gain if len(names) == 2 else None
    _check(names, wishes, decides=default is not None)
    differing = [
        number
        for number, texts in enumerate(zip(*outputs.systems.values(), strict=True))
        if len({" ".join(text.split()) for text in texts}) > 1
    ]
    if not differing:
        raise InputError(
            f"{' and '.join(names)} translate all {len(outputs.sources)} sentences of "
            f"'{outputs.test_set}' alike: there is nothing to rate"
        )
    # Once: each batch goes on where the one before it has ended.
    random.Random(seed).shuffle(differing)
    segments = tuple(_segment(outputs, number) for number in differing)
    if wishes.slope and any(None in each.scores.get(CONTROL_METRIC, (None,)) for each in segments):
        raise InputError(f"there is no {CONTROL_METRIC} of all sentences to use as control variate")
    return Design(
        study=study,
        run=run,
        test_set=outputs.test_set,
        source_language=outputs.source_language,
        target_language=outputs.target_language,
        protocol=protocol.name,
        systems=names,
        raters=wishes.raters,
        rows=wishes.rows,
        shared=shared_of(wishes),
        looks=looks_of(wishes, len(differing)),
        gain=default if wishes.gain is None else wishes.gain,
        alpha=wishes.alpha,
        slope=wishes.slope,
        seed=seed,
        nonce=secrets.token_hex(16),
        sentences=len(outputs.sources),
        segments=segments,
    )


def check_name(option: str, name: str) -> None:
    """Refuse a name that cannot be one of a file.

    Raises:
        InputError: names the option.
    """
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise InputError(
            f"{option} {name!r}: use at most 63 letters, digits, '-', '_' and '.', and begin with "
            "a letter or digit"
        )


def _segment(outputs: Outputs, number: int) -> RatedSegment:
    return RatedSegment(
        number=number,
        source=outputs.sources[number],
        translations=tuple(texts[number] for texts in outputs.systems.values()),
        scores={
            metric: tuple(systems[name][number] if name in systems else None
                          for name in outputs.systems)
            for metric, systems in outputs.scores.items()
        },
    )  # fmt: skip


def shared_of(wishes: Wishes) -> int:
    """Return how many sentences of a batch all raters get: none if there is one rater."""
    if len(wishes.raters) == 1:
        return 0
    return min(wishes.rows, -(-wishes.rows // 5) if wishes.shared is None else wishes.shared)


def looks_of(wishes: Wishes, differing: int) -> int:
    """Return how many looks the differing sentences allow: fewer looks have a lower bound."""
    return min(wishes.looks, -(-differing // wishes.rows))


def _check(systems: Sequence[str], wishes: Wishes, *, decides: bool) -> None:
    if not 2 <= len(systems) <= len(LABELS):
        raise InputError(
            f"there are {len(systems)} systems, and raters compare 2 to {len(LABELS)}: name them "
            "by --systems"
        )
    for option, value, highest in (
        ("--rows", wishes.rows, 500),
        ("--looks", wishes.looks, 20),
    ):
        if not 1 <= value <= highest:
            raise InputError(f"{option} {value}: must be from 1 to {highest}")
    if decides and wishes.rows < LEAST_SENTENCES:
        raise InputError(
            f"--rows {wishes.rows}: must be at least {LEAST_SENTENCES} where ratings decide "
            "between two systems: for fewer sentences the bounds of a decision do not hold, and it "
            "would accept too often"
        )
    if wishes.shared is not None and not 0 <= wishes.shared <= wishes.rows:
        raise InputError(f"--shared {wishes.shared}: must be from 0 to {wishes.rows}, the --rows")
    if wishes.gain is not None and not 0 < wishes.gain <= 100:
        raise InputError(f"--gain {wishes.gain:g}: must be above 0 and at most 100")
    if wishes.gain is not None and (len(systems) != 2 or PROTOCOLS[wishes.protocol].gain is None):
        raise InputError(
            "--gain is for a decision between two systems, which --protocol post-editing and more "
            "systems do not make"
        )
    folded = {name.casefold() for name in wishes.raters}
    if not wishes.raters or len(wishes.raters) > 20 or len(folded) < len(wishes.raters):
        raise InputError("--raters: give 1 to 20 different names, or their number")
    for name in wishes.raters:
        check_name("--raters", name)
