"""Parts of a test set, and the counting of words that the rare ones are found by."""

import pytest

from nmt.data.test_sets import TestSet
from nmt.scoring.slices import MIN_SENTENCES, find_slices
from nmt.scoring.words import count_words
from nmt.text.words import words_of


def set_of(
    sources: list[str], language: str = "eng_Latn", domains: tuple[str, ...] | None = None
) -> TestSet:
    return TestSet("test", tuple(sources), (tuple(sources),), language, "tam_Taml", domains)


def labels(test_set: TestSet, kind: str, words: dict[str, int] | None = None) -> dict[str, int]:
    found = find_slices(test_set, words)
    return {each.label: len(each.rows) for each in found if each.kind == kind}


def test_sentences_are_divided_by_the_words_of_their_source() -> None:
    sources = [" ".join(["word"] * count) for count in (10, 11, 20, 21, 40, 41, 90)] * 10
    assert labels(set_of(sources), "length") == {
        "1-10 words": 10,
        "11-20 words": 20,
        "21-30 words": 10,
        "31-40 words": 10,
        "over 40 words": 20,
    }


@pytest.mark.parametrize(
    ("language", "buckets"),
    [
        ("zho_Hans", ["1-15 characters", "31-50 characters", "over 80 characters"]),
        ("tha_Thai", ["1-50 characters", "over 200 characters"]),
    ],
)
def test_a_script_without_spaces_is_divided_by_characters(
    language: str, buckets: list[str]
) -> None:
    sources = ["护士早上 给药"] * 10 + ["护士早上给药" * 6] * 10 + ["护士" * 200] * 10
    assert list(labels(set_of(sources, language), "length")) == buckets


def test_every_domain_is_a_slice() -> None:
    test_set = set_of(["text"] * 35, domains=("news",) * 10 + ("chat",) * 15 + (" ",) * 10)
    assert labels(test_set, "domain") == {"chat": 15, "news": 10, "no domain": 10}


def test_sentences_are_divided_by_their_rarest_word() -> None:
    sources = ["The Nurse 2026"] * 10 + ["the nurse, slowly"] * 10 + ["the zeugma"] * 10
    words = {"the": 900, "nurse": 6, "slowly": 5}
    assert list(labels(set_of(sources), "rare words", words).items()) == [
        ("a word that the training has never seen", 10),
        ("a word seen 1-5 times", 10),
        ("only words seen more often", 10),
    ]
    assert labels(set_of(sources), "rare words", None) == {}
    assert labels(set_of(["护士"] * 10 + ["医生"] * 10, "zho_Hans"), "rare words", words) == {}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("numbers", "It costs 5 rupees"),
        ("web addresses", "See www.example.org"),
        ("names", "We met Anna"),
        ("placeholders", "Hello {name}"),
    ],
)
def test_sentences_with_what_is_easily_lost_are_a_slice(kind: str, text: str) -> None:
    assert labels(set_of([text] * 10 + ["It is late"] * 12), kind) == {
        f"with {kind}": 10,
        f"without {kind}": 12,
    }


def test_small_slices_and_kinds_that_do_not_divide_the_set_are_left_out() -> None:
    few = MIN_SENTENCES - 1
    sources = ["It costs 5 rupees"] * few + ["It is late"] * 20
    assert find_slices(set_of(sources), None) == []
    assert find_slices(set_of([]), {}) == []


def test_the_rows_of_a_slice_are_its_sentences() -> None:
    sources = ["It costs 5 rupees", "It is late"] * 10
    with_numbers = find_slices(set_of(sources), None)[0]
    assert with_numbers.label == "with numbers"
    assert with_numbers.rows.tolist() == list(range(0, 20, 2))


def test_words_keep_their_marks_and_lose_case_and_punctuation() -> None:
    assert words_of("The NURSE's இலக்கணத்தை, 12 ௧௨!") == [
        "the",
        "nurse",
        "s",
        "இலக்கணத்தை",
        "12",
        "௧௨",
    ]


def test_words_of_any_number_of_texts_are_counted() -> None:
    texts = (f"The nurse {number}" for number in range(2500))
    counts = count_words(texts)
    assert (counts["the"], counts["nurse"], counts["2499"], counts["doctor"]) == (2500, 2500, 1, 0)


def test_only_wanted_words_take_memory() -> None:
    counts = count_words((f"The nurse {number}" for number in range(2500)), {"nurse", "doctor"})
    assert dict(counts) == {"nurse": 2500}
