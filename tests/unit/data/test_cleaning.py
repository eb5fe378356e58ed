import pytest

from nmt.config import DataConfig
from nmt.data.clean import clean, reason_to_drop
from nmt.text.pair import Pair

GOOD = Pair("The doctor is here today.", "மருத்துவர் இன்று இங்கே இருக்கிறார்.")
ENGLISH_TAMIL = DataConfig()


def dropped(pair: Pair, data: DataConfig = ENGLISH_TAMIL) -> dict[str, int]:
    return {reason: drops.count for reason, drops in clean([pair], data).dropped.items()}


def test_a_good_pair_is_kept_unchanged() -> None:
    assert clean([GOOD], ENGLISH_TAMIL).kept == [GOOD]


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
    assert reason_to_drop(Pair(source, target), chinese) is None
    assert reason_to_drop(Pair(target, source), english) is None


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("", GOOD.target, "empty"),
        (GOOD.source, "", "empty"),
        ("Hi", "வா", "too_short"),
        ("word " * 200 + "word", "சொல் " * 201, "too_long"),
        (GOOD.source, "ஆமாம்", "length_ratio"),
        ("Yes.", "ஆமாம், " * 3, "length_ratio"),
        ("Read <unclosed here now.", GOOD.target, "html"),
        ("Salt &amp;lt; sugar", GOOD.target, "html"),
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
    assert dropped(Pair(source, target)) == {reason: 1}


def test_the_longest_allowed_side_is_kept() -> None:
    assert not dropped(Pair("word " * 199 + "word", "சொல் " * 199 + "சொல்"))


def test_latin_names_in_tamil_are_kept() -> None:
    assert not dropped(Pair("WHO uses Linux.", "WHO அமைப்பு Linux பயன்படுத்துகிறது."))


def test_numbers_have_no_script() -> None:
    assert not dropped(Pair("10 + 20 = 30", "10 + 20 = 30."))


def test_a_single_greek_letter_is_a_symbol() -> None:
    assert not dropped(Pair("Take 5 μg of IFNβ.", "5 μg IFNβ எடுத்துக் கொள்ளுங்கள்."))


def test_a_greek_word_is_a_third_script() -> None:
    assert dropped(Pair(GOOD.source, GOOD.target + " γιατρός")) == {"wrong_script": 1}


def test_japanese_counts_all_its_scripts() -> None:
    data = DataConfig(target_language="ja")
    assert not dropped(Pair("I read Tanaka's book.", "私は田中さんのコーヒーの本を読んだ。"), data)


def test_tags_and_entities_are_undone() -> None:
    pair = Pair("Tom &amp; <b class='x'>Ann</b> came<br/>home.", GOOD.target)
    kept = clean([pair], ENGLISH_TAMIL).kept
    assert kept == [Pair("Tom & Ann came home.", GOOD.target)]


def test_text_out_of_entities_is_normalised() -> None:
    kept = clean([Pair("The&nbsp; doctor is here.", GOOD.target)], ENGLISH_TAMIL).kept
    assert kept[0].source == "The doctor is here."


def test_comparisons_are_not_markup() -> None:
    assert reason_to_drop(Pair("a < b and c > d & e", GOOD.target), ENGLISH_TAMIL) is None


def test_of_equal_pairs_the_first_is_kept() -> None:
    other = Pair(GOOD.source, GOOD.target + "!")
    cleaned = clean([GOOD, other, GOOD], ENGLISH_TAMIL)
    assert cleaned.kept == [GOOD, other]
    assert cleaned.dropped["duplicate"].count == 1


def test_duplicates_are_found_after_markup_is_gone() -> None:
    cleaned = clean([GOOD, Pair(f"<i>{GOOD.source}</i>", GOOD.target)], ENGLISH_TAMIL)
    assert cleaned.dropped["duplicate"].count == 1


def test_thresholds_come_from_the_settings() -> None:
    data = DataConfig.model_validate({"cleaning": {"max_words": 4}})
    assert dropped(GOOD, data) == {"too_long": 1}


def test_the_report_counts_all_and_shows_three_shortened_examples() -> None:
    bad = [Pair(f"{number} " + "x" * 200, "") for number in range(5)]
    report = clean([GOOD, *bad], ENGLISH_TAMIL).report()
    assert (report["read"], report["kept"]) == (6, 1)
    drops = report["dropped"]["empty"]
    assert drops["count"] == 5
    assert [example["source"][0] for example in drops["examples"]] == ["0", "1", "2"]
    assert {len(example["source"]) for example in drops["examples"]} == {120}
