"""How many pairs a training validates, so that validations take a set share of its time."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from nmt.runs import layout
from nmt.training.job import TrainingJob
from nmt.training.loading import LoadedTraining
from nmt.training.saved.records import (
    BASE_TRANSLATIONS,
    CHOSEN_SAMPLE,
    BaseTranslations,
    ChosenSample,
)
from nmt.training.saved.state import State
from nmt.training.strategies import Strategy
from nmt.training.validation import Measure, validate

log = logging.getLogger(__name__)

MINIMUM_SENTENCES = 100
"""Fewer would leave the choice of a checkpoint to chance."""


def sentences_within(
    share: float, *, most: int, step_seconds: float, sentence_seconds: float, steps: float
) -> int:
    """Return how many pairs a validation may translate, at least `MINIMUM_SENTENCES` if there are.

    Args:
        share: of the whole time that validations may take, 0-1.
        most: number of pairs that there are.
        step_seconds: time of an update.
        sentence_seconds: time of translating one pair.
        steps: updates between two validations, as a mean.
    """
    allowed = share / (1 - share) * steps * step_seconds
    fitting = math.floor(allowed / max(sentence_seconds, 1e-9))
    return min(most, max(MINIMUM_SENTENCES, fitting))


def steps_between(last_step: int, every: int, pauses: int | None = None) -> float:
    """Return the mean number of updates between two validations of a whole training.

    Args:
        last_step: of the training, which is validated in any case.
        every: at the multiples of this it is validated.
        pauses: and at those of this.
    """
    pauses = pauses or every
    both = last_step // math.lcm(every, pauses)
    count = last_step // every + last_step // pauses - both
    is_extra = last_step % every and last_step % pauses
    return last_step / (count + bool(is_extra))


@dataclass(frozen=True, slots=True)
class ValidationSample:
    """The validation pairs of a training, chosen once, at its first validation."""

    job: TrainingJob
    material: LoadedTraining
    strategy: Strategy

    def keep_base(self, hypotheses: tuple[str, ...]) -> None:
        """Keep what the base translated, if its score may have to be one of fewer pairs."""
        if self._is_measured and self.strategy.rank == 0:
            path = layout.base_validation(self.job.folder)
            BASE_TRANSLATIONS.write(self.job.storage, path, BaseTranslations(hypotheses))

    def choose(self, state: State, stop_wanted: Callable[[], bool]) -> State | None:
        """Add the number of pairs to the state, with the base's score of these pairs.

        Every worker of the strategy calls this.

        Returns:
            The state, or None where a worker received a stop request.
        """
        if state.validation_sentences is not None:
            return state
        most = len(self.material.validation)
        if not self._is_measured:
            return replace(state, validation_sentences=most)
        count = self._shared()
        if count is None:
            measured = self._measure(state, stop_wanted)
            if measured is None:
                return None
            count = self._agree(measured)
        return self._with_base(replace(state, validation_sentences=min(count, most)))

    @property
    def _is_measured(self) -> bool:
        share = self.job.config.training.validation_share
        return share is not None and len(self.material.validation) > MINIMUM_SENTENCES

    def _shared(self) -> int | None:
        """Return what another trial of the search has chosen; None where none has."""
        path, found = self.job.shared_validation, None
        if path and self.strategy.rank == 0:
            record = CHOSEN_SAMPLE.find(self.job.storage, path, "delete it")
            found = record.sentences if record else None
        return self.strategy.gather(found)[0]

    def _measure(self, state: State, stop_wanted: Callable[[], bool]) -> int | None:
        """Time a few translations, and return how many fit beside the updates so far."""
        few = Measure("bleu", MINIMUM_SENTENCES)
        started = time.monotonic()
        if validate(self.material, self.strategy, few, stop_wanted=stop_wanted) is None:
            return None
        seconds = time.monotonic() - started
        training = self.job.config.training
        return sentences_within(
            training.validation_share or 0.0,
            most=len(self.material.validation),
            step_seconds=state.seconds / state.step,
            sentence_seconds=seconds / MINIMUM_SENTENCES,
            steps=steps_between(
                self.job.whole_steps, training.evaluate_every_steps, self.job.pauses_every_steps
            ),
        )

    def _agree(self, measured: int) -> int:
        """Take the first worker's measurement, or what another trial wrote a moment before."""
        chosen = measured
        if self.strategy.rank == 0:
            if path := self.job.shared_validation:
                record = ChosenSample(measured)
                chosen = CHOSEN_SAMPLE.find_or_write(self.job.storage, path, record).sentences
            log.info(
                "%s: each validation translates %d of %d pairs (training.validation_share=%g); "
                "training.validation_sentences=%d with validation_share=null repeats that",
                self.job.name, chosen, len(self.material.validation),
                self.job.config.training.validation_share, chosen,
            )  # fmt: skip
        return self.strategy.gather(chosen)[0]

    def _with_base(self, state: State) -> State:
        """Score the base on the chosen pairs, or keep all pairs where its translations are lost."""
        most = len(self.material.validation)
        if state.base_score is None or state.validation_sentences == most:
            return state
        kept: tuple[str, ...] = ()
        if self.strategy.rank == 0:
            path = layout.base_validation(self.job.folder)
            record = BASE_TRANSLATIONS.find_or_leave_out(
                self.job.storage, path, "all validation pairs are translated", log.warning
            )
            kept = record.hypotheses if record else ()
        kept = self.strategy.gather(kept)[0]
        if len(kept) < most:
            return replace(state, validation_sentences=most)
        found = Measure(state.metric).of(
            kept[: state.validation_sentences],
            self.material.validation,
            self.material.codec.target_language,
        )
        return replace(state, base_bleu=found.bleu, base_score=found.score)
