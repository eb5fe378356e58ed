"""Detection of a text's language by its script, a model, and what is served."""

import pytest

from nmt.serving.detection import detect_languages

ENGLISH = ("eng_Latn",)
EUROPEAN = ("eng_Latn", "deu_Latn", "fra_Latn")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("வணக்கம்", "tam_Taml"),
        ("안녕하세요", "kor_Hang"),
        ("こんにちは", "jpn_Jpan"),
        ("La maison est grande et belle.", "fra_Latn"),
        ("Where is the hospital of this town?", "eng_Latn"),
        ("WHERE IS THE HOSPITAL OF THIS TOWN?", "eng_Latn"),
        ("Это большой дом на нашей улице.", "rus_Cyrl"),
        ("Tamil word தமிழ் நாடு தமிழ் மொழி", "tam_Taml"),
    ],
)
def test_script_and_model_decide(text: str, expected: str) -> None:
    assert detect_languages(text, ENGLISH)[0].language == expected


@pytest.mark.parametrize("text", ["OK", "Hello", "save file", "hola", "Menu"])
def test_the_language_that_is_served_decides_for_short_texts(text: str) -> None:
    [found] = detect_languages(text, ENGLISH)
    assert found.language == "eng_Latn"
    assert found.confidence >= 0.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Guten Tag", "deu_Latn"), ("Bonjour", "fra_Latn"), ("save file", "eng_Latn")],
)
def test_the_model_chooses_between_served_languages_for_short_texts(
    text: str, expected: str
) -> None:
    assert detect_languages(text, EUROPEAN)[0].language == expected


def test_a_short_text_that_is_surely_in_another_language_is_not_taken_for_a_served_one() -> None:
    assert detect_languages("Merhaba dünya", ENGLISH)[0].language == "tur_Latn"


def test_chinese_is_in_the_script_that_is_served() -> None:
    assert detect_languages("今天天气很好", ("zho_Hant", "eng_Latn"))[0].language == "zho_Hant"
    assert detect_languages("今天天气很好", ENGLISH)[0].language == "zho_Hans"


@pytest.mark.parametrize("text", ["", " \n", "12:30", "---", "😀"])
def test_a_text_without_letters_has_no_language(text: str) -> None:
    assert detect_languages(text, ENGLISH) == []


@pytest.mark.parametrize("text", ["a\nb" * 3000, "\ud800a", "ᜀᜁ", "x" * 100_000, "𐐀𐐁"])
def test_odd_texts_have_a_confidence_within_its_limits(text: str) -> None:
    for found in detect_languages(text, EUROPEAN):
        assert 0 <= found.confidence <= 1
