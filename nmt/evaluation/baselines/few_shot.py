"""The base of a run, prompted with training pairs as examples."""

import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from torch import nn

from nmt.config import Config, digest_of
from nmt.data.test_sets import TestSet
from nmt.evaluation.baselines.memory_system import TrainingPairs
from nmt.evaluation.baselines.prompt import ExamplePrompt
from nmt.evaluation.models import LoadedModel, ModelSystem
from nmt.evaluation.system import AfterBatch, LoadedSystem
from nmt.models.families import max_positions, unwrap
from nmt.models.load import load_tokenizer
from nmt.runs.evaluation import SystemInfo
from nmt.scoring.outputs import SystemOutput
from nmt.text.pair import Pair

log = logging.getLogger(__name__)

_POSITIONS = ("max_position_embeddings", "n_positions")
"""Keys of `config.json` for the longest sequence that a model was trained for."""


@dataclass(frozen=True, slots=True)
class FewShotSystem:
    """The base with examples before each source: random ones, or the best matches of it."""

    base: ModelSystem
    pairs: TrainingPairs
    kind: Literal["few-shot", "retrieved"]
    is_model: bool = True

    @property
    def config(self) -> Config:
        """Return all settings."""
        return self.base.config

    @property
    def info(self) -> SystemInfo:
        """Describe the system."""
        return self.base.info.model_copy(update={"kind": self.kind})

    def content(self, test_set: str) -> str:
        """Return a digest of all that decides the translations of a test set."""
        # The batch size limits the tokens of a prompt.
        settings = self.config.evaluation
        # Random examples are drawn with the seed.
        seed = self.config.seed if self.kind == "few-shot" else None
        examples = [self.kind, self.pairs.digest, settings.examples, settings.batch_tokens, seed]
        return digest_of([self.base.content(test_set), *examples])

    def find_obstacle(self, test_set: TestSet) -> str | None:
        """Explain why the system cannot translate a test set; None if it can."""
        if not self.base.codec(self.pairs.languages).one_sequence:
            return "an encoder-decoder takes no examples: only decoder-only bases are prompted"
        return self.pairs.find_obstacle(test_set) or self.base.find_obstacle(test_set)

    @contextmanager
    def load(self) -> Generator[LoadedSystem]:
        """Provide the system in memory, for as long as the block lasts."""
        if self.kind == "retrieved":
            # Indexed before the time of the translations is taken.
            _ = self.pairs.memory
        with self.base.load() as loaded:
            yield LoadedFewShot(self, loaded)


@dataclass(frozen=True)
class LoadedFewShot:
    """A base in memory that is prompted with examples."""

    system: FewShotSystem
    base: LoadedModel

    @property
    def info(self) -> SystemInfo:
        """Describe the system, with what is known only of a loaded one."""
        changes: dict[str, Any] = {"kind": self.system.kind}
        if self.system.kind == "retrieved":
            memory = self.system.pairs.memory
            changes["size_bytes"] = (self.base.info.size_bytes or 0) + memory.size_bytes
            changes["preparation_seconds"] = memory.build_seconds
        return self.base.info.model_copy(update=changes)

    def translate(self, test_set: TestSet, after_batch: AfterBatch) -> SystemOutput:
        """Translate the sources of a test set."""
        codec = self.codec(self.system.config.evaluation.batch_tokens)
        output = self.base.translate_with(codec, test_set.sources, after_batch)
        short = [count for count in codec.left_out.values() if count]
        if short:
            log.warning(
                "evaluate: %s, %s: %d examples did not fit into the prompts of %d sentences",
                self.system.kind, test_set.name, sum(short), len(short),
            )  # fmt: skip
        return output

    def codec(self, batch_tokens: int) -> ExamplePrompt:
        """Make the codec that writes the prompts."""
        return ExamplePrompt(
            load_tokenizer(self.system.base.base),
            *self.system.pairs.languages,
            examples=self._examples,
            max_tokens=min(batch_tokens, _positions(self.base.model) or batch_tokens),
        )

    def _examples(self, source: str) -> Sequence[Pair]:
        """Find the examples for a source, the best last."""
        if self.system.kind == "few-shot":
            return self._random
        count = self.system.config.evaluation.examples
        matches = self.system.pairs.memory.find_matches(source, count)
        return [match.pair for match in reversed(matches)]

    @cached_property
    def _random(self) -> list[Pair]:
        """Draw the examples that all sources have."""
        pairs, config = self.system.pairs.rows, self.system.config
        count = min(config.evaluation.examples, len(pairs))
        rows = np.random.default_rng(config.seed).choice(len(pairs), count, replace=False)
        return [pairs.pair(int(row)) for row in rows]


def _positions(model: nn.Module) -> int | None:
    """Return the longest sequence that a model was trained for; None if it has no limit."""
    model_config: Any = unwrap(model).config
    found = [getattr(model_config, key, None) for key in _POSITIONS]
    limits = [limit for limit in [*found, max_positions(model)] if limit]
    return min(limits, default=None)
