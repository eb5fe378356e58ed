"""How often people's decision accepts an engine that is not better, by how ratings differ.

Run: python -m benchmarks.rating_decisions
"""

from collections.abc import Callable, Mapping
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from nmt.ratings.decision import decide_by_differences
from nmt.ratings.design import Design, Outputs, Wishes, make_design
from nmt.ratings.statistics.pocock import pocock_bound
from nmt.scoring.significance.student_t import quantile

STUDIES = 2000
LOOKS, ROWS, ALPHA = 6, 50, 0.05
LOSS = 60.0

Array = NDArray[np.float64]


def normal(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Draw differences as of scores by many raters."""
    return random.normal(0, 15.6, shape)


def long_tail(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Draw many small gains and a long tail of losses."""
    return 15 - random.exponential(15, shape)


def rare(share: float) -> Callable[[np.random.Generator, tuple[int, int]], Array]:
    """Return what draws large losses in a share of the sentences, and small gains in the others."""

    def draw(random: np.random.Generator, shape: tuple[int, int]) -> Array:
        gain = LOSS * share / (1 - share)
        lost = random.random(shape) < share
        return np.where(lost, -LOSS, gain) + random.normal(0, 3, shape)

    return draw


DRAWS: Mapping[str, Callable[[np.random.Generator, tuple[int, int]], Array]] = {
    "normal, deviation 15.6": normal,
    "exponential, with a long tail of losses": long_tail,
    "1 of 10 sentences loses 60 points": rare(0.1),
    "1 of 20 sentences loses 60 points": rare(0.05),
}


def make_study() -> Design:
    """Make the design of a study with six looks at 50 sentences each."""
    count = LOOKS * ROWS
    texts = {
        system: [f"text {number} of the {system} engine" for number in range(count)]
        for system in ("old", "new")
    }
    sources = [f"sentence {number}" for number in range(count)]
    outputs = Outputs("test", "eng_Latn", "tam_Taml", sources, texts, {})
    wishes = Wishes(rows=ROWS, looks=LOOKS, alpha=ALPHA)
    return make_design("run", "study", outputs, wishes, seed=1)


def accepts_plainly(differences: Array) -> bool:
    """Tell whether Student's t alone reaches the bound of Pocock at some look."""
    probability = NormalDist().cdf(pocock_bound(LOOKS, ALPHA))
    for count in range(ROWS, len(differences) + 1, ROWS):
        seen = differences[:count]
        t = seen.mean() / seen.std(ddof=1) * count**0.5
        if t >= quantile(probability, count - 1):
            return True
    return False


def main() -> None:
    """Print the share of equal engines that are accepted."""
    study = make_study()
    print(f"{'differences':40} {'accepted':>9} {'Student t alone':>16}")
    for name, draw in DRAWS.items():
        draws = draw(np.random.default_rng(3), (STUDIES, LOOKS * ROWS))
        found = [decide_by_differences(dict(enumerate(row)), study).answer for row in draws]
        ours = found.count("accept") / STUDIES
        plain = sum(accepts_plainly(row) for row in draws) / STUDIES
        print(f"{name:40} {ours:9.1%} {plain:16.1%}")


if __name__ == "__main__":
    main()
