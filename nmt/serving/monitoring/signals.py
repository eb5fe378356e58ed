"""Signals that compare a canary or a shadow with the stable engine, as counts that replicas add.

A pair is one sentence that both engines translated. For each signal it counts as 1 if only the
other engine has the fault, as -1 if only the stable engine has it, and as 0 otherwise. Sums of
these numbers are all that a decision needs, so neither texts nor the order of pairs are kept.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from nmt.data.cleaning.characters.scripts import count_letters_by_script, has_third_script
from nmt.documents.translation.glossary import Term, find_missing
from nmt.scoring.faults.expected import find_expected
from nmt.scoring.faults.repetition import repeats_itself
from nmt.text.normalise import normalise
from nmt.traffic import Arm, PairCounts, UsualLength

EventKind = Literal["errors", "corrections"]
Sign = Literal[-1, 0, 1]

LATENCY_RATIOS = {"latency_1.1": 1.1, "latency_1.3": 1.3}
"""Signal -> ratio of the times above which a vote is 1: for the rollback, and for the promotion."""
_PAIRS_PER_VOTE = 20
PAIRED_SIGNALS = ("broken", "len", "short", "num", "glossary", "tail")
EVENT_SIGNALS: tuple[EventKind, ...] = ("errors", "corrections")

_MIN_TARGET_SHARE = 0.5
_MAX_THIRD_SHARE = 0.02
_MAX_COPY_CHRF = 70
_MIN_LENGTH_SHARE = 0.75
_MAX_LENGTH_DEVIATIONS = 4 * 1.48
"""4 standard deviations, by the median of the absolute differences."""
_TAIL_CHRF, _TAIL_CHARACTERS = 25, 30


@dataclass(frozen=True, slots=True)
class PairOutput:
    """What one of two engines made of a sentence."""

    text: str | None
    """The translation; None if the engine failed."""
    seconds: float | None = None
    """Time that it took; None if the engine failed or was not measured."""


def is_broken(source: str, output: str, source_language: str, target_language: str) -> bool:
    """Tell whether a translation is unusable whatever the source says.

    Args:
        source: normalised.
        output: normalised.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code.
    """
    if not output:
        return True
    letters = count_letters_by_script(output, source_language, target_language)
    if letters.target < _MIN_TARGET_SHARE * letters.total:
        return True
    # The second check excepts what is a symbol in any language, such as a single Greek letter.
    if letters.third > _MAX_THIRD_SHARE * letters.total and has_third_script(
        output, source_language, target_language
    ):
        return True
    return repeats_itself(output, source, ()) or chrf(source, output) > _MAX_COPY_CHRF


def lacks_number(source: str, output: str) -> bool | None:
    """Tell whether a number of the source is missing; None if the source has no numbers."""
    expected = find_expected(source, ())
    return "numbers" in expected.find_missing(output) if expected.numbers else None


def has_unusual_length(source: str, output: str, usual: UsualLength) -> bool:
    """Tell whether a translation is much longer or shorter than such translations are.

    Args:
        source: normalised, and not empty.
        output: normalised.
        usual: of the stable engine, for the outputs of both engines.
    """
    if not output:
        return True
    ratio = math.log(len(output) / len(source))
    return abs(ratio - usual.median) > _MAX_LENGTH_DEVIATIONS * usual.deviation


def chrf(hypothesis: str, reference: str) -> float:
    """Compute the chrF of a text, 0-100."""
    # Imported here: most endpoints never run a canary or a shadow.
    import fastchrf

    return float(fastchrf.pairwise_chrf([[hypothesis]], [[reference]])[0][0][0])


def compare(
    source: str,
    stable: str,
    other: str,
    source_language: str,
    target_language: str,
    usual_length: UsualLength | None = None,
    terms: Sequence[Term] = (),
) -> dict[str, Sign]:
    """Compare two translations of a sentence.

    Args:
        source: the sentence.
        stable: translation of the stable engine; empty if it failed.
        other: translation of the canary or the shadow; empty if it failed.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code.
        usual_length: of the stable engine; None: lengths are not compared with what is usual.
        terms: of the client's glossary that the sentence has.

    Returns:
        Maps each signal that counts for the sentence to 1 if only `other` has the fault, to -1 if
        only `stable` has it, else to 0. `tail` is never -1.
    """
    source, stable, other = map(normalise, (source, stable, other))
    languages = source_language, target_language
    broken = [is_broken(source, output, *languages) for output in (other, stable)]
    is_short = len(other) < _MIN_LENGTH_SHARE * len(stable)
    is_long = len(stable) < _MIN_LENGTH_SHARE * len(other)
    signs: dict[str, Sign] = {"broken": _sign(*broken), "short": _sign(is_short, is_long)}
    if usual_length and source:
        unusual = [has_unusual_length(source, output, usual_length) for output in (other, stable)]
        signs["len"] = _sign(*unusual)
    in_other, in_stable = lacks_number(source, other), lacks_number(source, stable)
    if in_other is not None and in_stable is not None:
        signs["num"] = _sign(in_other, in_stable)
    if terms:
        signs["glossary"] = _sign(
            *[bool(find_missing(output, terms, target_language)) for output in (other, stable)]
        )
    # Short texts that mean the same may have hardly any characters in common.
    can_differ = len(stable) >= _TAIL_CHARACTERS
    signs["tail"] = 1 if can_differ and chrf(other, stable) < _TAIL_CHRF else 0
    return signs


class PairCounter:
    """The counts of a replica for one step of one rollout; they only grow."""

    def __init__(
        self,
        rollout: str,
        step: int,
        route: str,
        *,
        stable: str,
        other: str,
        source_language: str,
        target_language: str,
        usual_length: UsualLength | None = None,
    ) -> None:
        """Start all counts at zero.

        Args:
            rollout: id of the running canary or shadow.
            step: number of changes of its share so far.
            route: key in the traffic file.
            stable: digest of the stable engine.
            other: digest of the canary or the shadow.
            source_language: FLORES-200 code.
            target_language: FLORES-200 code.
            usual_length: of the stable engine; None: lengths are not compared with what is usual.
        """
        self._zero = PairCounts(
            rollout=rollout, step=step, route=route, stable=stable, other=other, signal=""
        )
        self._languages = source_language, target_language
        self._usual_length = usual_length
        self._signs: Counter[tuple[str, Sign]] = Counter()
        self._events: Counter[tuple[str, Arm]] = Counter()
        self._ratios: list[float] = []

    def add(
        self, source: str, stable: PairOutput, other: PairOutput, terms: Sequence[Term] = ()
    ) -> None:
        """Count a pair, which takes a millisecond or two; one call at a time.

        Args:
            source: the sentence.
            stable: what the stable engine made of it.
            other: what the canary or the shadow made of it.
            terms: of the client's glossary that the sentence has.
        """
        # A failed translation counts as an empty one. Left out, an engine that fails on what it
        # would translate badly would seem to be better than it is.
        signs = compare(
            source,
            stable.text or "",
            other.text or "",
            *self._languages,
            self._usual_length,
            terms,
        )
        self._signs.update(signs.items())
        self._add_ratio(stable, other)

    def event(self, arm: Arm, kind: EventKind) -> None:
        """Count an event of a request that one engine answered."""
        self._events[kind, arm] += 1

    def counts(self) -> tuple[PairCounts, ...]:
        """Return the counts of every signal that has any."""
        return tuple(self._counts())

    def _add_ratio(self, stable: PairOutput, other: PairOutput) -> None:
        """Add the ratio of two times, and vote once there are enough."""
        ratio = _time_ratio(stable, other)
        if ratio is None:
            return
        self._ratios.append(ratio)
        if len(self._ratios) < _PAIRS_PER_VOTE:
            return
        # The times of one replica hang together, since a slow spell slows many pairs: each pair
        # as a vote of its own would roll back engines that are equal.
        middle = median(self._ratios)
        self._ratios.clear()
        for signal, limit in LATENCY_RATIOS.items():
            self._signs[signal, 1 if middle > limit else -1] += 1

    def _counts(self) -> Iterator[PairCounts]:
        for signal in (*PAIRED_SIGNALS, *LATENCY_RATIOS, *EVENT_SIGNALS):
            counts = {
                "plus": self._signs[signal, 1],
                "zero": self._signs[signal, 0],
                "minus": self._signs[signal, -1],
                "events_canary": self._events[signal, "canary"],
                "events_stable": self._events[signal, "stable"],
            }
            if any(counts.values()):
                yield self._zero.model_copy(update={"signal": signal, **counts})


def _time_ratio(stable: PairOutput, other: PairOutput) -> float | None:
    """Divide the time of the other engine by that of the stable one; None if not measured."""
    if stable.text is None or other.text is None:
        # A failure is slower than any translation.
        if stable.text is other.text:
            return 1.0
        return 0.0 if stable.text is None else math.inf
    if not stable.seconds or other.seconds is None:
        return None
    return other.seconds / stable.seconds


def _sign(in_other: bool, in_stable: bool) -> Sign:
    if in_other == in_stable:
        return 0
    return 1 if in_other else -1
