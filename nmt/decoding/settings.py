"""How translations are searched. Imports no torch."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Sampling:
    """How many translations of a sentence are sampled, of which the most typical is chosen."""

    samples: int
    seed: int = 1


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """The settings of a search."""

    method: Literal["beam", "mbr"] = "beam"
    """`mbr`: sample translations, and take the one that is most like the others in chrF."""
    beam_size: int = 1
    """Number of beams; 1 is greedy search."""
    length_penalty: float = 1.0
    """Exponent of the length by which beam search divides a log-probability."""
    no_repeat_ngram_size: int = 0
    """Length of word pieces that may not occur twice in a translation; 0 allows all."""
    mbr_samples: int = 32
    """Number of samples of each sentence."""
    seed: int = 1
    """Seed of the samples."""

    @classmethod
    def sampling(cls, sampling: "Sampling") -> "SearchSettings":
        """Return the settings of minimum Bayes risk decoding."""
        return cls("mbr", mbr_samples=sampling.samples, seed=sampling.seed)


@dataclass(frozen=True, slots=True)
class Search:
    """How a request wants its sentences to be searched."""

    count: int = 1
    """Maximum number of candidates of a sentence; a larger beam is taken if it needs one."""
    beam_size: int | None = None
    """Number of beams, 1 for greedy decoding; None for that of the engine."""
    no_repeat_ngram_size: int = 0
    """Length of word pieces that may not occur twice in a translation; 0 allows all."""

    def beams(self, default: int) -> int:
        """Return the number of beams, with that of the engine as the default."""
        # A search finds at most as many candidates as it has beams.
        return max(self.count, self.beam_size or default)


DEFAULT_SEARCH = Search()
"""One candidate, with the beam of the engine."""
