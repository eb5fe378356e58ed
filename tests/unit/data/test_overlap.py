from collections.abc import Sequence

import numpy as np
import pytest

from nmt.data.overlap import (
    Keys,
    Texts,
    duplicates,
    excess_targets,
    groups,
    keys_of,
    leaks,
    near_duplicates,
)

Rows = Sequence[tuple[str, str]]
REPORT = "The committee approved the annual report on water quality in the northern districts."
BERICHT = "Der Ausschuss billigte den Jahresbericht zur Wasserqualität in den nördlichen Bezirken."


def keys(rows: Rows) -> Keys:
    return keys_of([source for source, _ in rows], [target for _, target in rows], 0)


def texts(rows: Rows) -> Texts:
    return lambda chosen: ([rows[row][0] for row in chosen], [rows[row][1] for row in chosen])


def near(rows: Rows, similarity: float = 0.8) -> list[bool]:
    return near_duplicates(keys(rows), texts(rows), similarity).tolist()


def leaking(rows: Rows, held_out: Rows, similarity: float = 0.8) -> list[bool]:
    found = leaks(keys(rows), texts(rows), keys(held_out), texts(held_out), similarity)
    return found.tolist()


def test_only_equal_pairs_are_duplicates() -> None:
    rows = [("a", "x"), ("a", "y"), ("b", "x"), ("a", "x"), ("A", "x")]
    assert duplicates(keys(rows)).tolist() == [False, False, False, True, False]


def test_a_pair_like_an_earlier_one_in_both_sides_is_a_near_duplicate() -> None:
    rows = [(REPORT, BERICHT), (REPORT[:-1] + " today.", BERICHT[:-1] + " heute.")]
    assert near(rows) == [False, True]
    assert near(rows[::-1]) == [False, True]


def test_a_pair_like_an_earlier_one_in_one_side_is_kept() -> None:
    assert near([(REPORT, BERICHT), (REPORT[:-1] + "!", "Etwas ganz anderes steht hier.")]) == [
        False,
        False,
    ]


def test_pairs_that_differ_in_digits_only_are_near_duplicates() -> None:
    rows = [("Page 3 of 12", "பக்கம் 3 / 12"), ("Page 10 of 12", "பக்கம் 10 / 12")]
    assert near([*rows, ("Page ௪ of ௧௨", "பக்கம் ௪ / ௧௨")]) == [False, True, True]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("Open the file.", "Öffne die Datei."), ("Open the door.", "Öffne die Tür.")),
        (("He is here now.", "Er ist jetzt da."), ("She is here now.", "Sie ist jetzt da.")),
        (("yes", "ja"), ("yet", "je")),
        (("a", "b"), ("c", "d")),
    ],
)
def test_short_pairs_with_another_word_are_kept(
    first: tuple[str, str], second: tuple[str, str]
) -> None:
    assert near([first, second]) == [False, False]


def test_a_similarity_of_one_finds_no_near_duplicates() -> None:
    assert near([(REPORT, BERICHT), (REPORT + " 1", BERICHT + " 1")], 1) == [False, False]


def test_each_row_may_have_its_own_similarity() -> None:
    rows = [(REPORT, BERICHT), (REPORT + " A", BERICHT + " A"), (REPORT + " B", BERICHT + " B")]
    found = near_duplicates(keys(rows), texts(rows), np.array([0.8, 1, 0.8], np.float32))
    assert found.tolist() == [False, False, True]


def test_digits_count_in_a_row_with_a_similarity_of_one() -> None:
    rows = [("Page 1", "Seite 1"), ("Page 2", "Seite 2"), ("Page 3", "Seite 3")]
    found = near_duplicates(keys(rows), texts(rows), np.array([0.8, 1, 0.8], np.float32))
    assert found.tolist() == [False, False, True]


def test_further_targets_of_a_source_are_excess() -> None:
    rows = [("a", "1x"), ("A.", "2x"), ("b", "3x"), ("a", "1X"), ("a", "4x"), ("b", "5x")]
    assert excess_targets(keys(rows), 2).tolist() == [False, False, False, False, True, False]
    assert excess_targets(keys(rows), np.array([9, 9, 9, 9, 9, 1])).tolist() == [False] * 5 + [True]


@pytest.mark.parametrize(
    "leak",
    [
        ("3.3. Management Inefficiencies", "something else"),
        ("the committee approved the annual report", "something else"),
        ("other", "Der Ausschuß hat den Jahresbericht gebilligt"),
    ],
)
def test_a_pair_like_a_held_out_sentence_in_one_side_leaks(leak: tuple[str, str]) -> None:
    held_out = [
        ("3.1. Management Inefficiencies", "3.1. Ineffizienzen der Verwaltung"),
        ("The committee approved the annual reports.", "x"),
        ("y", "Der Ausschuss hat den Jahresbericht gebilligt."),
    ]
    clean = ("The committee rejected the budget.", "Der Ausschuss lehnte den Haushalt ab.")
    assert leaking([clean, leak], held_out) == [False, True]


def test_equal_sentences_leak_at_a_similarity_of_one() -> None:
    rows = [(REPORT.upper(), "x"), (REPORT[:-5], "y")]
    assert leaking(rows, [(REPORT, BERICHT)], 1) == [True, False]


def test_nothing_leaks_into_no_held_out_pairs() -> None:
    assert leaking([("a", "b")], []) == [False]
    assert leaking([], [("a", "b")]) == []


def test_similar_sentences_are_in_one_group_whatever_their_order() -> None:
    rows = [(REPORT, "x"), ("alone", "y"), (REPORT[:-1] + " today", "z"), ("else", "z!")]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
        shuffled = [rows[place] for place in order]
        labels = groups(keys(shuffled), 0.8)[np.argsort(order)]
        assert labels[0] == labels[2] == labels[3]
        assert labels[0] != labels[1]


def test_parts_are_joined_in_order() -> None:
    rows = [(f"source {number}", f"target {number}") for number in range(5)]
    joined = Keys.concatenated([keys(rows[:2]), keys([]), keys(rows[2:])])
    assert joined.pair.tolist() == keys(rows).pair.tolist()
    assert joined.source_sketch.tolist() == keys(rows).source_sketch.tolist()


def test_rows_can_be_taken_and_kept() -> None:
    rows = [(f"source {number}", f"target {number}") for number in range(5)]
    whole = keys(rows)
    taken = whole.take(np.array([3, 1]))
    assert taken.source.tolist() == keys([rows[3], rows[1]]).source.tolist()
    whole.keep(np.array([True, False, False, True, False]))
    assert whole.rank.tolist() == keys([rows[0], rows[3]]).rank.tolist()
