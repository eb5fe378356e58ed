"""Doubtful translations are noticed, and good ones are not."""

import pytest

from nmt.data.cleaning.characters.scripts import (
    count_letters_by_script,
    has_only_target_letters,
)
from nmt.documents.translation.guards import check_translation

ENGLISH, TAMIL, GERMAN = "eng_Latn", "tam_Taml", "deu_Latn"
BOOK = "She has read the whole book about the river in one night."
BOOK_IN_TAMIL = "அவர் நதியைப் பற்றிய புத்தகம் முழுவதையும் ஒரே இரவில் படித்துவிட்டார்."


@pytest.mark.parametrize(
    ("source", "translation", "expected"),
    [
        pytest.param(BOOK, BOOK_IN_TAMIL, (), id="right"),
        pytest.param(BOOK, "...", ("empty",), id="nothing but punctuation"),
        pytest.param("...", "...", (), id="nothing to translate"),
        pytest.param(BOOK, "அவர் படித்தார்.", ("length",), id="half is missing"),
        pytest.param("Yes", "ஆம்", (), id="short"),
        pytest.param("Settings", BOOK_IN_TAMIL, ("length",), id="a long story"),
        pytest.param(
            BOOK,
            "அவர் நதி, நதி, நதி, நதி பற்றிய புத்தகத்தைப் படித்தார்.",
            ("repetition",),
            id="a word again and again",
        ),
        pytest.param(
            "It rang, rang, rang, rang.",
            "அது அடித்து அடித்து அடித்து அடித்து ஓய்ந்தது.",
            (),
            id="a word as often as in the source",
        ),
        pytest.param(BOOK, BOOK, ("copied",), id="a copy"),
        pytest.param("Settings", "Settings", ("copied",), id="a copied word"),
        pytest.param("GitHub", "GitHub", (), id="a copied name"),
        pytest.param(
            BOOK, "Er hat heute Morgen einen Brief geschrieben.", ("other_script",), id="Latin"
        ),
        pytest.param(
            BOOK, BOOK_IN_TAMIL.replace("ஒரே", "ఒకే"), ("other_script",), id="a word in Telugu"
        ),
        pytest.param(
            "He paid 9,400 rupees for 25 books.",
            "அவர் ௨௫ புத்தகங்களுக்கு 9400 ரூபாய் கொடுத்தார்.",
            (),
            id="equal numbers",
        ),
        pytest.param(
            "He paid 9,400 rupees for 25 books.",
            "அவர் 25 புத்தகங்களுக்கு 94,000 ரூபாய் கொடுத்தார்.",
            ("numbers",),
            id="another number",
        ),
        pytest.param("Is it 5 or 7?", "இது சரியா?", ("numbers",), id="small numbers lost"),
        pytest.param("Room 19 is free.", "அறை 19, 19 காலி.", ("numbers",), id="a number twice"),
        pytest.param(
            "COVID-19 is a disease.",
            "கோவிட்-19 (COVID-19) ஒரு நோய்.",
            (),
            id="a term again in brackets",
        ),
        pytest.param("It starts at 10:30.", "இது 10.30 மணிக்கு தொடங்குகிறது.", (), id="a time"),
        pytest.param("He has two dogs.", "அவரிடம் 2 நாய்கள் உள்ளன.", (), id="a digit for a word"),
        pytest.param(
            "About 1,000 people came.", "சுமார் ஆயிரம் பேர் வந்தனர்.", (), id="a word for a number"
        ),
        pytest.param(
            "He has seen the house.", "அவர் 47 வீடுகளைப் பார்த்தார்.", ("numbers",), id="a new number"
        ),
        pytest.param(
            "The river (near the old town) is deep.",
            "பழைய நகரத்திற்கு அருகிலுள்ள நதி ஆழமானது.",
            ("punctuation",),
            id="brackets lost",
        ),
        pytest.param(
            "He said “we will be there very soon” to her.",
            "நாங்கள் விரைவில் அங்கு இருப்போம் என்று அவளிடம் கூறினார்.",
            ("punctuation",),
            id="a quotation lost",
        ),
        pytest.param(
            "The “dry” season is over.", "வறண்ட காலம் முடிந்துவிட்டது.", (), id="a word without quotes"
        ),
    ],
)
def test_doubts_of_a_tamil_translation(source: str, translation: str, expected: tuple[str, ...]):
    assert check_translation(source, translation, ENGLISH, TAMIL) == expected


def test_a_copy_is_noticed_in_the_same_script():
    assert check_translation(BOOK, BOOK, ENGLISH, GERMAN) == ("copied",)
    german = "Sie hat das ganze Buch über den Fluss in einer Nacht gelesen."
    assert check_translation(BOOK, german, ENGLISH, GERMAN) == ()


def test_a_chinese_sentence_is_as_long_as_its_english_translation():
    assert check_translation("她一夜之间读完了那本书。", BOOK, "zho_Hans", ENGLISH) == ()
    assert check_translation(BOOK, "她一夜之间读完了关于这条河的书。", ENGLISH, "zho_Hans") == ()


@pytest.mark.parametrize("text", ["a" * 50_000, "( " * 25_000, '"a' * 25_000, "1," * 25_000])
def test_a_long_text_is_checked_in_linear_time(text: str):
    check_translation(text, text, ENGLISH, TAMIL)
    check_translation(text, BOOK_IN_TAMIL, ENGLISH, TAMIL)


@pytest.mark.parametrize(
    "text", [BOOK, BOOK_IN_TAMIL, f"{BOOK_IN_TAMIL} ఒకే", "நாசா NASA", "1 μg", "", "…"]
)
def test_letters_of_the_target_script_alone_are_found_as_by_counting(text: str):
    counts = count_letters_by_script(text, ENGLISH, TAMIL)
    expected = counts.target > 0 and counts.target == counts.total
    assert has_only_target_letters(text, ENGLISH, TAMIL) == expected
