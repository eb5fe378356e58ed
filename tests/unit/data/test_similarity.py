import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.data.overlap.candidates import agreement
from nmt.data.overlap.linked import joined
from nmt.data.overlap.similarity import few_edits, jaccard, near
from nmt.data.overlap.sketches import sketches_of

TEXTS = st.text(alphabet="ab 19௧\u0b95😀", max_size=14)


def grams(text: str) -> set[str]:
    folded = re.sub(r"\d+", "0", text)
    return {folded[first : first + 5] for first in range(max(1, len(folded) - 4))}


def edits(one: str, other: str) -> int:
    """Count edits by the table of distances."""
    row = list(range(len(other) + 1))
    for place, character in enumerate(one, start=1):
        diagonal, row[0] = row[0], place
        for column, letter in enumerate(other, start=1):
            changed = diagonal + (character != letter)
            diagonal = row[column]
            row[column] = min(changed, diagonal + 1, row[column - 1] + 1)
    return row[-1]


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_the_jaccard_similarity_is_that_of_the_sets_of_grams(pairs: list[tuple[str, str]]) -> None:
    expected = [len(grams(a) & grams(b)) / len(grams(a) | grams(b)) for a, b in pairs]
    assert jaccard([a for a, _ in pairs], [b for _, b in pairs]).tolist() == pytest.approx(expected)


@given(
    st.text(alphabet="abc", max_size=30),
    st.text(alphabet="abc", max_size=30),
    st.sampled_from([0.05, 0.1, 0.3]),
)
def test_few_edits_are_counted_exactly(one: str, other: str, share: float) -> None:
    allowed = int((max(len(one), len(other)) + 1) * share + 1e-6)
    assert few_edits(one, other, share) == (edits(one, other) <= allowed)


@given(st.text(alphabet="abc ", min_size=40, max_size=60), st.data())
def test_a_text_with_few_edits_is_near(text: str, data: st.DataObject) -> None:
    edited = list(text)
    for _ in range(4):
        place = data.draw(st.integers(0, len(edited) - 1))
        edited[place : place + 1] = data.draw(st.sampled_from(["", "x", "xy"]))
    if edits(text, "".join(edited)) <= 4:
        limits, estimates = np.full(1, 0.8, np.float32), np.zeros(1, np.float32)
        assert near([text], ["".join(edited)], limits, estimates).all()


def test_sketches_agree_as_far_as_texts_are_similar() -> None:
    generator = np.random.default_rng(1)
    texts = ["".join(map(chr, generator.integers(97, 123, 120))) for _ in range(300)]
    others = [
        text[: place % 120] + text[: place % 120 - 1 : -1] for place, text in enumerate(texts)
    ]
    rows = np.arange(300)
    errors = agreement(sketches_of(texts), rows, sketches_of(others), rows)
    errors -= jaccard(texts, others)
    assert abs(errors.mean()) < 0.01
    assert errors.std() < 0.06


def test_texts_in_another_batch_have_the_same_sketches() -> None:
    texts = ["", "a", "a b", "a longer text", "12 and ௧௨", "x" * 300]
    alone = [sketches_of([text])[0].tolist() for text in texts]
    assert sketches_of(texts).tolist() == alone
    assert sketches_of(texts * 400)[-len(texts) :].tolist() == alone


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
def test_links_join_connected_rows(links: list[tuple[int, int]]) -> None:
    expected = list(range(31))
    for _ in range(31):
        for one, other in links:
            expected[one] = expected[other] = min(expected[one], expected[other])
    one, other = np.array(links, np.int64).reshape(-1, 2).T
    assert joined(np.arange(31), one, other).tolist() == expected
