"""Scores against values of the `sacrebleu` command on the same files."""

import unicodedata
from functools import partial

import pytest
from sacrebleu.metrics.bleu import BLEU

from nmt import metrics
from nmt.errors import DataError
from nmt.metrics import Score

TAMIL = "tam_Taml"
score_all = partial(metrics.score_all, language=TAMIL)
corpus_bleu = partial(metrics.corpus_bleu, language=TAMIL)

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


def one(name: str, hypothesis: str, reference: str, language: str = TAMIL) -> Score:
    return metrics.score_all([hypothesis], [[reference]], language).computed[name]


def decomposed(sentences: list[str]) -> list[str]:
    return [unicodedata.normalize("NFD", sentence) for sentence in sentences]


@pytest.mark.parametrize(
    ("name", "value", "signature"),
    [
        ("bleu", 61.49558, "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:"),
        ("chrf", 75.681572, "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:"),
        ("chrf++", 75.120599, "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:"),
        ("ter", 30.769231, "nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:"),
        ("ter-normalized", 18.75, "nrefs:1|case:lc|tok:tercom|norm:yes|punct:yes|asian:no|"),
    ],
)
def test_score_equals_that_of_the_sacrebleu_command(name: str, value: float, signature: str):
    score = score_all(HYPOTHESES, [REFERENCES]).computed[name]
    assert score.name == name
    assert score.value == pytest.approx(value, abs=1e-6)
    assert score.signature.startswith(signature)


def test_other_tokenizers_than_the_default_have_its_score_beside_theirs():
    hypothesis, reference = "แพทย์ อยู่ บ้าน วันนี้ ครับ", "แพทย์ อยู่ บ้าน วันนี้ ค่ะ"
    scores = metrics.score_all([hypothesis], [[reference]], "tha_Thai").computed
    default = BLEU().corpus_score([hypothesis], [[reference]])
    assert scores["bleu-13a"].value == pytest.approx(default.score, abs=1e-9)
    assert "tok:13a" in scores["bleu-13a"].signature
    assert "tok:char" in scores["bleu"].signature
    assert "bleu-13a" not in score_all(HYPOTHESES, [REFERENCES]).computed


def test_corpus_bleu_is_the_value_of_bleu():
    bleu = score_all(HYPOTHESES, [REFERENCES]).computed["bleu"]
    assert corpus_bleu(HYPOTHESES, REFERENCES) == pytest.approx(bleu.value, abs=1e-9)


@pytest.mark.parametrize("side", ["hypotheses", "references"])
def test_decomposed_text_scores_lower_as_it_is_and_the_same_in_nfc(side: str):
    composed = score_all(HYPOTHESES, [REFERENCES]).computed
    if side == "hypotheses":
        found = score_all(decomposed(HYPOTHESES), [REFERENCES]).computed
        bleu = corpus_bleu(decomposed(HYPOTHESES), REFERENCES)
    else:
        found = score_all(HYPOTHESES, [decomposed(REFERENCES)]).computed
        bleu = corpus_bleu(HYPOTHESES, decomposed(REFERENCES))
    for name in ("bleu", "chrf", "chrf++"):
        assert found[name].value < composed[name].value
        assert found[f"{name}-nfc"].value == composed[name].value
        assert found[f"{name}-nfc"].signature == f"{composed[name].signature}|norm:nfc"
    assert bleu == pytest.approx(composed["bleu"].value, abs=1e-9)


def test_text_in_nfc_has_no_scores_of_its_own_for_nfc():
    assert not [name for name in score_all(HYPOTHESES, [REFERENCES]).computed if "nfc" in name]


def test_the_example_has_text_that_decomposes():
    assert decomposed(HYPOTHESES) != HYPOTHESES


def test_normalized_ter_takes_a_full_stop_for_a_token_of_its_own():
    assert one("ter-normalized", "one two three.", "one two three").value == pytest.approx(100 / 3)


def test_ter_may_exceed_100():
    assert one("ter", "a b c d e f", "x y").value > 100


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
    assert metrics.corpus_bleu([sentence], [sentence], language) == pytest.approx(100)
    assert 60 < metrics.corpus_bleu([near], [sentence], language) < 100


def test_empty_hypotheses_have_0_bleu():
    assert corpus_bleu(["", ""], ["one two", "three four"]) == 0


def test_many_tokenized_lines_cause_no_warning(caplog: pytest.LogCaptureFixture):
    corpus_bleu(["a word ."] * 150, ["a word ."] * 150)
    score_all(["a word ."] * 150, [["a word ."] * 150])
    assert not caplog.records


def test_unequal_lengths_are_refused_with_both_counts():
    with pytest.raises(DataError, match="2 hypotheses for 1 references"):
        score_all(["a", "b"], [["a", "b"], ["a"]])
    with pytest.raises(DataError, match="2 hypotheses for 1 references"):
        corpus_bleu(["a", "b"], ["a"])


def test_an_empty_corpus_is_refused():
    with pytest.raises(DataError, match="no sentences"):
        score_all([], [[]])
    with pytest.raises(DataError, match="no references"):
        score_all([], [])
    with pytest.raises(DataError, match="no sentences"):
        corpus_bleu([], [])
