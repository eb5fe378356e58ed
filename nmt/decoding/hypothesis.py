"""What a search finds for a source. Imports no torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A translation of one source."""

    text: str
    tokens: int
    """Number of tokens, with the end token and without the language code."""
    log_probability: float
    """Natural logarithm of its probability; 0 unless it was asked for."""
    is_complete: bool
    """Whether the model ended it; False if it ran into the limit of the output length."""
    score: float = 0.0
    """What the search ranks it by; 0 unless it was asked for."""

    @property
    def confidence(self) -> float:
        """Return the mean log-probability of the tokens."""
        return length_score(self.log_probability, self.tokens, 1.0)


def length_score(log_probability: float, tokens: int, length_penalty: float) -> float:
    """Calculate the score by which beam search ranks a hypothesis of so many tokens."""
    return log_probability / max(1, tokens) ** length_penalty
