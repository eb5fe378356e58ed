"""Scores against values of the `sacrebleu` command on the same files."""

import unicodedata
from functools import partial

import pytest

from nmt.errors import DataError
from nmt.metrics import chrf_plus_plus, scores

TAMIL = "tam_Taml"
bleu, ter = partial(scores.bleu, language=TAMIL), partial(scores.ter, language=TAMIL)
score_all = partial(scores.score_all, language=TAMIL)
corpus_bleu = partial(scores.corpus_bleu, language=TAMIL)

HYPOTHESES = [
    "செவிலியர் காலையில் மருந்தைக் கொடுக்கிறார்.",
    "வயதான மருத்துவர் இன்று நோயாளியைப் பார்க்கிறார்.",
    "கட்டு எங்கே?",
]
REFERENCES = [
    "செவிலியர் காலையில் மருந்தைக் கொடுக்கிறார்.",
    "வயதான மருத்துவர் இன்று நோயாளியைப் பார்ப்பதில்லை.",
    "சுத்தமான கட்டு எங்கே இருக்கிறது?",
]
MEASURES = [bleu, chrf_plus_plus, ter, score_all, corpus_bleu]


def decomposed(sentences: list[str]) -> list[str]:
    return [unicodedata.normalize("NFD", sentence) for sentence in sentences]


@pytest.mark.parametrize(
    ("name", "value", "signature"),
    [
        ("bleu", 61.49558, "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:"),
        ("chrf++", 75.120599, "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:"),
        ("ter", 18.75, "nrefs:1|case:lc|tok:tercom|norm:yes|punct:yes|asian:no|version:"),
    ],
)
def test_score_equals_that_of_the_sacrebleu_command(name: str, value: float, signature: str):
    score = score_all(HYPOTHESES, REFERENCES)[name]
    assert score.name == name
    assert score.value == pytest.approx(value, abs=1e-6)
    assert score.signature.startswith(signature)


def test_score_all_holds_the_three_single_scores():
    singles = [measure(HYPOTHESES, REFERENCES) for measure in (bleu, chrf_plus_plus, ter)]
    assert score_all(HYPOTHESES, REFERENCES) == {score.name: score for score in singles}


def test_corpus_bleu_is_the_value_of_bleu():
    assert corpus_bleu(HYPOTHESES, REFERENCES) == bleu(HYPOTHESES, REFERENCES).value


@pytest.mark.parametrize("side", ["hypotheses", "references"])
def test_decomposed_text_scores_like_composed_text(side: str):
    composed = score_all(HYPOTHESES, REFERENCES)
    if side == "hypotheses":
        assert score_all(decomposed(HYPOTHESES), REFERENCES) == composed
    else:
        assert score_all(HYPOTHESES, decomposed(REFERENCES)) == composed


def test_the_example_has_text_that_decomposes():
    assert decomposed(HYPOTHESES) != HYPOTHESES


def test_ter_takes_a_full_stop_for_a_token_of_its_own():
    assert ter(["one two three."], ["one two three"]).value == pytest.approx(100 / 3)


def test_ter_may_exceed_100():
    assert ter(["a b c d e f"], ["x y"]).value > 100


def test_perfect_hypotheses_have_100_bleu():
    assert corpus_bleu(REFERENCES, REFERENCES) == pytest.approx(100)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("zho_Hans", "医生今天早上在医院给病人吃药。"),
        ("jpn_Jpan", "医者は今朝病院で患者に薬を渡した。"),
        ("tha_Thai", "หมอให้ยาแก่ผู้ป่วยที่โรงพยาบาลเมื่อเช้านี้"),
        ("mya_Mymr", "ဆရာဝန်သည် ယနေ့မနက် ဆေးရုံတွင် လူနာကို ဆေးပေးသည်။"),
    ],
)
def test_bleu_of_text_without_spaces_credits_a_near_translation(language: str, sentence: str):
    near = sentence[:6] + sentence[7:]
    assert scores.corpus_bleu([sentence], [sentence], language) == pytest.approx(100)
    assert 60 < scores.corpus_bleu([near], [sentence], language) < 100


def test_ter_counts_each_ideogram_as_a_word():
    wrong = scores.ter(["医生在家"], ["医生在院"], "zho_Hans")
    assert wrong.value == pytest.approx(100 / 4)


def test_empty_hypotheses_have_0_bleu():
    assert corpus_bleu(["", ""], ["one two", "three four"]) == 0


def test_many_tokenized_lines_cause_no_warning(caplog: pytest.LogCaptureFixture):
    bleu(["a word ."] * 150, ["a word ."] * 150)
    assert not caplog.records


@pytest.mark.parametrize("measure", MEASURES)
def test_unequal_lengths_are_refused_with_both_counts(measure):
    with pytest.raises(DataError, match="2 hypotheses for 1 references"):
        measure(["a", "b"], ["a"])


@pytest.mark.parametrize("measure", MEASURES)
def test_an_empty_corpus_is_refused(measure):
    with pytest.raises(DataError, match="no sentences"):
        measure([], [])
