"""Terms of a glossary are found in sentences, and in translations with their endings."""

import pytest

from nmt.documents.translation.glossary import TermFinder, count_term, has_term

GLOSSARY = {
    "machine translation": "இயந்திர மொழிபெயர்ப்பு",
    "translation": "மொழிபெயர்ப்பு",
    "C++": "சி++",
    "Straße": "தெரு",
    "மரம்": "tree",
}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Machine\n translation beats translation.", ["Machine\n translation", "translation"]),
        ("Translations and retranslation", []),
        ("Use C++ or C+, not c++!", ["C++", "c++"]),
        ("STRASSE, Stra\u00adße", ["STRASSE", "Stra\u00adße"]),
        ("மரம் மரம்மரம் மர", ["மரம்"]),
        ("re-translation", ["translation"]),
        ("", []),
    ],
)
def test_terms_are_whole_words_in_any_case(sentence: str, expected: list[str]):
    found = TermFinder(GLOSSARY).find(sentence)
    assert [sentence[term.start : term.end] for term in found] == expected


def test_a_term_has_its_form_in_the_glossary_and_its_translation():
    (term,) = TermFinder(GLOSSARY).find("MACHINE TRANSLATION")
    assert (term.source, term.target) == ("machine translation", "இயந்திர மொழிபெயர்ப்பு")


def test_terms_are_found_inside_a_sentence_without_spaces():
    found = TermFinder({"机器翻译": "machine translation", "翻译": "translation"})
    sentence = "我爱机器翻译和翻译。"
    assert [term.target for term in found.find(sentence)] == ["machine translation", "translation"]


def test_without_a_glossary_nothing_is_found():
    assert TermFinder({}).find("a b") == []
    assert TermFinder({" ": "x"}).find("a b") == []


@pytest.mark.parametrize(
    ("translation", "term", "language", "count"),
    [
        ("மரத்தில் மரம் மரத்தை", "மரம்", "tam_Taml", 3),
        ("வீட்டில் வீடு வீணை", "வீடு", "tam_Taml", 2),
        ("கணினிகளை வாங்கினார்", "கணினிகள்", "tam_Taml", 1),
        ("लड़के ने कहा", "लड़का", "hin_Deva", 1),
        ("والكتاب بالكتاب مكتبة", "كتاب", "arb_Arab", 2),
        ("我爱机器翻译", "机器翻译", "zho_Hans", 1),
        ("Die Häuser und das Hausboot", "Haus", "deu_Latn", 1),
        ("Maschinelle\u00a0Übersetzungen", "maschinelle Übersetzung", "deu_Latn", 1),
        ("no such thing", "term", "eng_Latn", 0),
        ("a determined one", "term", "eng_Latn", 0),
        ("anything", " ", "eng_Latn", 0),
    ],
)
def test_terms_of_a_translation_may_have_endings(
    translation: str, term: str, language: str, count: int
):
    assert count_term(translation, term, language) == count
    assert has_term(translation, term, language) == (count > 0)


def test_the_finder_of_a_glossary_is_made_once():
    glossaries = [{"river": str(number)} for number in range(20)]
    assert TermFinder.of(glossaries[0]) is TermFinder.of(glossaries[0])
    for glossary in glossaries:
        (term,) = TermFinder.of(glossary).find("a river")
        assert term.target == glossary["river"]
