"""METEOR of equal words, and ROUGE on words by Unicode's rules."""

import subprocess
import sys
from pathlib import Path

import pytest

from nmt.metrics import Scores, score_all

TAMIL = "tam_Taml"


def score(hypothesis: str, *references: str) -> Scores:
    return score_all([hypothesis], [[reference] for reference in references], TAMIL)


def values(scores: Scores) -> list[float]:
    return [scores.computed[name].value for name in ("rouge1", "rouge2", "rougeL")]


@pytest.mark.parametrize(
    ("hypothesis", "reference", "expected"),
    [
        # The examples of ROUGE's own documentation, by hand: 3 of 4 words, 1 of 3 pairs.
        ("police kill the gunman", "police killed the gunman", [75, 100 / 3, 75]),
        ("the gunman kill police", "police killed the gunman", [75, 100 / 3, 50]),
        ("a b", "a b", [100, 100, 100]),
        ("a", "a", [100, 0, 100]),
        ("a a a", "a", [50, 0, 50]),
        ("", "a b", [0, 0, 0]),
        ("...", "!", [0, 0, 0]),
    ],
)
def test_rouge_is_the_f1_of_what_is_in_common(
    hypothesis: str, reference: str, expected: list[float]
):
    assert values(score(hypothesis, reference)) == pytest.approx(expected)


def test_rouge_takes_tamil_words_whole_and_leaves_out_case_and_punctuation():
    found = score("“இலக்கணத்தை” WHO, 2020.", "இலக்கணத்தை who 2020")
    assert values(found) == pytest.approx([100, 100, 100])
    assert score("இலக்கணத்தை", "இலக்கியத்தை").computed["rouge1"].value == 0


def test_the_best_reference_of_each_sentence_counts():
    found = score_all(["a b", "c d"], [["a b", "x y"], ["x y", "c d"]], TAMIL).computed
    for name in ("meteor", "rouge1", "rouge2", "rougeL"):
        assert found[name].value == pytest.approx(100, abs=7)
        assert found[name].signature.startswith("nrefs:2|case:lc|tok:unicode-words|")


def test_the_score_of_a_corpus_is_the_mean_of_its_sentences():
    found = score_all(["a b", "c d"], [["a b", "c x"]], TAMIL)
    for name in ("meteor", "rouge1", "rouge2", "rougeL"):
        segments = found.computed[name].segments
        assert segments is not None
        assert found.computed[name].value == pytest.approx(segments.mean())
        assert found.statistics[name].segments() == pytest.approx(segments)


def test_meteor_weighs_recall_and_the_order_of_words():
    # 6 of 6 words in one chunk: 1 - .5 * (1/6)^3; in two chunks: 1 - .5 * (2/6)^3.
    ordered = score("on the mat sat the cat", "on the mat sat the cat").computed["meteor"].value
    swapped = score("sat the cat on the mat", "on the mat sat the cat").computed["meteor"].value
    assert ordered == pytest.approx(100 * (1 - 0.5 / 6**3))
    assert swapped < ordered
    # Half the recall: P = 1, R = 1/2, one chunk of two words.
    half = score("a b", "a b c d").computed["meteor"].value
    assert half == pytest.approx(100 * (0.5 / (0.9 + 0.1 * 0.5)) * (1 - 0.5 / 2**3))


def test_meteor_of_texts_without_common_words_is_0():
    assert score("", "a b").computed["meteor"].value == 0
    assert score("a", "b").computed["meteor"].value == 0


def test_meteor_needs_no_word_lists_and_knows_no_synonyms():
    assert score("houses", "house").computed["meteor"].value == 0
    assert "match:exact" in score("a", "a").computed["meteor"].signature


def test_scoring_loads_no_model_library():
    code = "import sys, nmt.metrics; print({'torch', 'transformers', 'nltk'} & set(sys.modules))"
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
