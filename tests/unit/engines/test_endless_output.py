"""Output that a model does not end is cut, and candidates of parts are combined."""

import pytest

from nmt.engines.endless import cut_endless
from nmt.engines.translate import Candidate, best_combinations


@pytest.mark.parametrize(
    ("text", "source", "cut"),
    [
        ("yes and " + "again " * 40, 30, "yes and again"),
        ("நீர்" * 50, 30, "நீர்"),
        ("a" * 500, 400, "a"),
        ("The water. The water. The water. The water.", 40, "The water."),
        ("one two three four five", 40, "one two three four five"),
        ("ha ha ha", 10, "ha ha ha"),
        ("w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12", 3, "w1 w2 w3 w4 w5 w6 w7 w8"),
    ],
)
def test_repetitions_and_excess_are_cut(text: str, source: int, cut: str) -> None:
    assert cut_endless(text, source) == cut


def test_the_most_probable_combinations_come_first() -> None:
    first = [Candidate("a", 1, -0.1), Candidate("b", 1, -1.0)]
    second = [Candidate("c", 1, -0.2), Candidate("d", 1, -0.3)]
    found = best_combinations([first, second], 3)
    assert ["".join(part.text for part in chosen) for chosen in found] == ["ac", "ad", "bc"]


def test_a_text_without_sentences_has_one_candidate_without_confidence() -> None:
    assert best_combinations([], 3) == [()]
    assert Candidate("---").confidence is None
