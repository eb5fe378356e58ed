"""Translation edit rate: equal to sacreBLEU's, and over characters."""

import random

import pytest
from sacrebleu.metrics.lib_ter import translation_edit_rate
from sacrebleu.metrics.ter import TER

from nmt.metrics import score_all
from nmt.metrics.edit_rate import count_edits

TAMIL, THAI, CHINESE, JAPANESE = "tam_Taml", "tha_Thai", "zho_Hans", "jpn_Jpan"
REFERENCE = ["the", "doctor", "gave", "the", "medicine", "to", "the", "nurse", "this", "morning"]


def edited(words: list[str], rng: random.Random) -> list[str]:
    """Replace, delete, insert and move some words."""
    words = list(words)
    for _ in range(rng.choice([1, 3, 12])):
        place, size = rng.randrange(len(words) + 1), rng.choice([1, 2, 6])
        block = words[place : place + size]
        kind = rng.randrange(4)
        if kind != 2:
            del words[place : place + size]
        if kind in (0, 2):
            words[place:place] = [str(rng.randrange(30)) for _ in range(size)]
        if kind == 3:
            target = rng.randrange(len(words) + 1)
            words[target:target] = block
    return words


@pytest.mark.parametrize("seed", range(40))
def test_edits_are_those_of_sacrebleu(seed: int):
    rng = random.Random(seed)
    vocabulary, length = rng.choice([2, 10, 60]), rng.choice([1, 4, 15, 40])
    reference = [str(rng.randrange(vocabulary)) for _ in range(length)]
    hypothesis = edited(reference, rng)
    assert count_edits(hypothesis, reference) == translation_edit_rate(hypothesis, reference)[0]


# Counts of sacreBLEU 2.6, which takes seconds for such texts. Without its beam, the last would be
# 167.
@pytest.mark.parametrize(("sizes", "edits"), [((90, 80), 80), ((20, 70), 63), ((3, 170), 168)])
def test_edits_in_long_texts_keep_to_the_beam_of_sacrebleu(sizes: tuple[int, int], edits: int):
    rng = random.Random(1)
    hypothesis, reference = ([str(rng.randrange(40)) for _ in range(size)] for size in sizes)
    assert count_edits(hypothesis, reference) == edits


def test_shifting_gives_up_after_as_many_tries_as_in_sacrebleu():
    rng = random.Random(2)
    reference = [rng.choice("abcd") for _ in range(60)]
    assert count_edits(reference[30:] + reference[:30], reference) == 32


def test_a_block_that_is_moved_is_one_edit():
    moved = [*REFERENCE[7:], *REFERENCE[:7]]
    assert count_edits(moved, REFERENCE) == 1
    assert count_edits(REFERENCE, REFERENCE) == 0


def test_all_words_of_an_empty_side_are_edits():
    assert count_edits([], REFERENCE) == count_edits(REFERENCE, []) == len(REFERENCE)
    assert count_edits([], []) == 0


@pytest.mark.parametrize("name", ["ter", "ter-normalized"])
def test_several_references_and_empty_texts_score_as_in_sacrebleu(name: str):
    hypotheses = ["One two three.", "", "a b c d", "x"]
    references = [
        ["one two three", "a", "a c b d", ""],
        ["one, two; three four.", "", "d a b c", ""],
    ]
    original = TER(normalized=name == "ter-normalized")
    score = score_all(hypotheses, references, TAMIL).computed[name]
    assert score.value == pytest.approx(original.corpus_score(hypotheses, references).score)
    assert score.signature == str(original.get_signature())
    assert score.segments == pytest.approx(
        [
            original.sentence_score(one, list(others)).score
            for one, others in zip(hypotheses, zip(*references, strict=True), strict=True)
        ]
    )


@pytest.mark.parametrize("language", [THAI, JAPANESE, CHINESE])
def test_text_without_spaces_has_a_ter_of_characters_and_says_why_not_of_words(language: str):
    scores = score_all(["ab cd"], [["abd"]], language)
    assert scores.computed["ter-char"].value == pytest.approx(100 / 3)
    assert "ter" not in scores.computed
    for name in ("ter", "meteor", "rouge1", "rouge2", "rougeL"):
        assert "without spaces between words" in scores.not_computed[name]


def test_chinese_keeps_the_ter_in_which_each_ideogram_is_a_word():
    score = score_all(["医生在家"], [["医生在院"]], CHINESE).computed["ter-normalized"]
    assert score.value == pytest.approx(100 / 4)
    assert "asian:yes" in score.signature
    assert "ter-normalized" in score_all(["家"], [["院"]], JAPANESE).not_computed


def test_a_character_is_a_letter_with_its_marks():
    # Consonant with vowel and tone; one of two differs, in its tone alone.
    score = score_all(["ที่นี้"], [["ที่นี่"]], THAI).computed["ter-char"]
    assert score.value == pytest.approx(50)
    assert score.signature.startswith("char-ter|nrefs:1|case:lc|tok:grapheme-clusters|")


def test_character_ter_is_that_of_sacrebleu_with_a_space_after_each_character():
    hypotheses, reference = ["医生今天早上在医院", "Ab c"], ["今天早上医生在 院", "aBd"]
    spaced = [
        [" ".join("".join(line.split())) for line in side] for side in (hypotheses, reference)
    ]
    score = score_all(hypotheses, [reference], CHINESE).computed["ter-char"]
    assert score.value == pytest.approx(TER().corpus_score(spaced[0], [spaced[1]]).score)


def test_a_language_with_spaces_has_no_ter_of_characters():
    scores = score_all(["a"], [["a"]], TAMIL)
    assert "ter-char" not in scores.computed | scores.not_computed
