import numpy as np
import pytest

from nmt.config import CleaningConfig, DataConfig
from nmt.data.cleaning import CleanedBlock, Features, clean_block, fit_ratios, fitted_drops
from nmt.text.pair import Pair

GOOD = Pair("The doctor is here today.", "மருத்துவர் இன்று இங்கே இருக்கிறார்.")
ENGLISH_TAMIL = DataConfig()


def cleaned(*pairs: Pair, data: DataConfig = ENGLISH_TAMIL) -> CleanedBlock:
    sources, targets = [pair.source for pair in pairs], [pair.target for pair in pairs]
    return clean_block(sources, targets, data.cleaning, data.source_language, data.target_language)


def dropped(pair: Pair, data: DataConfig = ENGLISH_TAMIL) -> str | None:
    drops = cleaned(pair, data=data).drops
    return drops[0].rule if drops else None


def test_a_good_pair_is_kept_unchanged() -> None:
    block = cleaned(GOOD)
    assert (block.sources, block.targets) == ([GOOD.source], [GOOD.target])


def test_a_block_keeps_the_order_and_the_rows_of_its_pairs() -> None:
    bad = Pair("", GOOD.target)
    block = cleaned(*[GOOD, bad] * 1500)
    assert block.rows.tolist() == list(range(0, 3000, 2))
    assert [drop.row for drop in block.drops] == list(range(1, 3000, 2))
    assert len(block.features) == len(block.sources) == 1500


def test_an_empty_block_has_nothing() -> None:
    block = cleaned()
    assert (block.sources, block.drops, len(block.features)) == ([], [], 0)


def test_a_drop_carries_the_value_that_was_compared() -> None:
    (drop,) = cleaned(Pair("Hi", GOOD.target)).drops
    assert (drop.rule, drop.value) == ("too_short", 2)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("The doctor gave the patient his medicine this morning.", "医生今天早上给病人吃药。"),
        ("Hello", "你好"),
        ("The government announced new measures on Tuesday.", "政府周二宣布了新措施。"),
    ],
)
def test_a_chinese_pair_of_common_lengths_is_kept(source: str, target: str) -> None:
    chinese = DataConfig(source_language="en", target_language="zh")
    english = DataConfig(source_language="zh", target_language="en")
    assert dropped(Pair(source, target), chinese) is None
    assert dropped(Pair(target, source), english) is None


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("", GOOD.target, "empty"),
        (GOOD.source, "", "empty"),
        ("Hi", "வா", "too_short"),
        ("word " * 200 + "word", "சொல் " * 201, "too_long"),
        ("Read <unclosed here now.", GOOD.target, "markup"),
        ("Salt &amp;lt; sugar", GOOD.target, "markup"),
        (GOOD.source, "Maruththuvar inru inge irukkiraar.", "wrong_script"),
        (GOOD.target, GOOD.target + " ஆம்", "wrong_script"),
        (GOOD.source, GOOD.target + " 의사", "wrong_script"),
        ("The doctor (врач) is here.", GOOD.target, "wrong_script"),
        ("Paracetamol 500", "Paracetamol 500", "identical"),
        (GOOD.source, GOOD.target + "\ufffd", "broken_characters"),
        (GOOD.source, GOOD.target + "\ue000", "broken_characters"),
    ],
)
def test_each_rule_drops_under_its_own_reason(source: str, target: str, reason: str) -> None:
    assert dropped(Pair(source, target)) == reason


def test_the_longest_allowed_side_is_kept() -> None:
    source, target = ([f"{word}{number}" for number in range(200)] for word in ("word", "சொல்"))
    assert not dropped(Pair(" ".join(source), " ".join(target)))
    assert dropped(Pair(" ".join([*source, "more"]), " ".join(target))) == "too_long"


def test_latin_names_in_tamil_are_kept() -> None:
    assert not dropped(Pair("WHO uses Linux.", "WHO அமைப்பு Linux பயன்படுத்துகிறது."))


def test_numbers_have_no_script() -> None:
    assert not dropped(Pair("10 + 20 = 30", "10 + 20 = 30."))


def test_a_single_greek_letter_is_a_symbol() -> None:
    assert not dropped(Pair("Take 5 μg of IFNβ.", "5 μg IFNβ எடுத்துக் கொள்ளுங்கள்."))


def test_a_greek_word_is_a_third_script() -> None:
    assert dropped(Pair(GOOD.source, GOOD.target + " γιατρός")) == "wrong_script"


def test_japanese_counts_all_its_scripts() -> None:
    data = DataConfig(target_language="ja")
    assert not dropped(Pair("I read Tanaka's book.", "私は田中さんのコーヒーの本を読んだ。"), data)


def test_tags_and_entities_are_undone() -> None:
    block = cleaned(Pair("Tom &amp; <b class='x'>Ann</b> came<br/>home.", GOOD.target))
    assert (block.sources, block.targets) == (["Tom & Ann came home."], [GOOD.target])


def test_text_out_of_entities_is_normalised() -> None:
    assert cleaned(Pair("The&nbsp; doctor is here.", GOOD.target)).sources == [
        "The doctor is here."
    ]


def test_comparisons_are_not_markup() -> None:
    assert dropped(Pair("a < b and c > d & e", GOOD.target)) is None


def test_thresholds_come_from_the_settings() -> None:
    data = DataConfig.model_validate({"cleaning": {"max_words": 4}})
    assert dropped(GOOD, data) == "too_long"


def features(ratios: list[float], length: int = 200) -> Features:
    return Features(
        np.log(np.array(ratios, np.float32)),
        np.full(len(ratios), length, np.int32),
        np.zeros(len(ratios), np.uint8),
    )


def test_the_length_ratio_is_fitted_to_the_corpus() -> None:
    usual = np.random.default_rng(1).normal(0.7, 0.2, 2000)
    corpus = features([*np.exp(usual).tolist(), 0.5, 10.0])
    fit = fit_ratios(corpus)
    assert fit.median == pytest.approx(0.7, abs=0.02)
    drops = fitted_drops(corpus, fit, CleaningConfig())
    assert [drops.names[code] for code in drops.codes[-2:]] == ["length_ratio"] * 2
    assert np.count_nonzero(drops.codes) < 20


def test_short_text_may_vary_more() -> None:
    fit = fit_ratios(features([1.0] * 200))
    short, long = features([2.5], length=8), features([2.5], length=400)
    assert not fitted_drops(short, fit, CleaningConfig()).codes[0]
    assert fitted_drops(long, fit, CleaningConfig()).codes[0]


def test_a_pair_alone_fits_itself() -> None:
    corpus = features([5.0])
    assert not fitted_drops(corpus, fit_ratios(corpus), CleaningConfig()).codes.any()


def test_without_a_limit_every_ratio_is_kept() -> None:
    corpus = features([1.0] * 200 + [50.0])
    rules = CleaningConfig(max_ratio_deviation=None)
    assert not fitted_drops(corpus, fit_ratios(corpus), rules).codes.any()
