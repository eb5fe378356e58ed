"""N-grams that a system has right more, or less, often than a baseline."""

from nmt.data.test_sets import TestSet
from nmt.scoring.comparisons import compare_ngrams
from nmt.scoring.ngrams import compare_matches, count_matches
from nmt.scoring.outputs import SystemOutput


def test_matches_are_clipped_at_the_reference_that_has_most():
    references = [["the cat sat, the end"], ["the cat"]]
    matches = count_matches(["the the the cat"], references, "eng_Latn")
    assert matches == {"the": 2, "cat": 1, "the cat": 1}


def test_words_keep_their_vowel_signs():
    matches = count_matches(["தமிழ் மொழி."], [["தமிழ், மொழி"]], "tam_Taml")
    assert matches == {"தமிழ்": 1, "மொழி": 1, "தமிழ் மொழி": 1}


def test_characters_take_the_place_of_words_where_words_are_joined():
    matches = count_matches(["我爱你。"], [["我很爱你！"]], "zho_Hans")
    assert matches == {"我": 1, "爱": 1, "你": 1, "爱你": 1}


def test_largest_changes_come_first_and_single_matches_are_left_out():
    base = {"lost": 5, "once": 1, "same": 9}
    tuned = {"gained": 3, "same": 9, "more": 7}
    rows = list(compare_matches("test", "base", "tuned", {"base": base, "tuned": tuned}))
    assert [(row.ngram, row.gained) for row in rows] == [("more", 7), ("gained", 3), ("lost", -5)]
    assert {(row.test_set, row.baseline, row.system) for row in rows} == {("test", "base", "tuned")}


def test_at_most_20_are_listed_of_each_direction():
    base = {f"lost{index}": 2 for index in range(30)}
    tuned = {f"gained{index}": 2 + index for index in range(30)}
    rows = list(compare_matches("test", "base", "tuned", {"base": base, "tuned": tuned}))
    assert [row.gained for row in rows] == [*range(31, 11, -1), *[-2] * 20]


def test_every_other_system_is_compared_with_the_first():
    test_set = TestSet("test", ("a", "b"), (("a word", "a word"),), "deu_Latn", "eng_Latn")
    lines = {"first": ["", ""], "second": ["a", "a"], "third": ["word", "word"]}
    outputs = {name: SystemOutput(hypotheses) for name, hypotheses in lines.items()}
    rows = [(r.baseline, r.system, r.ngram, r.gained) for r in compare_ngrams(test_set, outputs)]
    assert rows == [("first", "second", "a", 2), ("first", "third", "word", 2)]
