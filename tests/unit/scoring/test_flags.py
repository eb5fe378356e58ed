"""Faults of translations: each is found, and good translations have none."""

from collections.abc import Sequence

import pytest

from nmt.data.cleaning.characters.code_points import kinds
from nmt.data.test_sets import TestSet
from nmt.runs.evaluation import FLAGS
from nmt.scoring.faults.languages import find_off_target, is_in_other_script
from nmt.scoring.faults.patterns import find_placeholders
from nmt.scoring.flags import find_flags

SOURCE = (
    "The nurse gives the medicine to the old patient in the morning, and the doctor comes later."
)
TAMIL = "செவிலியர் காலையில் வயதான நோயாளிக்கு மருந்தைக் கொடுக்கிறார், மருத்துவர் பிறகு மருத்துவமனைக்கு வருகிறார்."


def flags_of(
    hypothesis: str,
    source: str = SOURCE,
    references: Sequence[str] = (TAMIL,),
    languages: tuple[str, str] = ("eng_Latn", "tam_Taml"),
) -> tuple[str, ...]:
    streams = tuple((text,) for text in references)
    return find_flags(TestSet("test", (source,), streams, *languages), [hypothesis]).by_sentence[0]


@pytest.mark.parametrize(
    ("flag", "hypothesis"),
    [
        ("empty", ""),
        ("empty", " \u200b "),
        ("empty", "..."),
        ("copied", SOURCE),
        ("copied", SOURCE.upper()),
        ("copied", f"{TAMIL[:40]} to the old patient in the morning, and the doctor comes later."),
        ("truncated", "செவிலியர் காலையில்"),
        ("repeated", f"{TAMIL} வருகிறார் வருகிறார் வருகிறார் வருகிறார்"),
        ("repeated", f"{TAMIL} {TAMIL}"),
        ("repeated", "ஆமா" * 30),
        ("off_target", "यह वाक्य हिन्दी में है और तमिल में नहीं है, इसलिए यह एक गलती है।"),
        ("off_target", "Die Katze sitzt auf der Matte und schaut aus dem Fenster in den Garten."),
        ("foreign_script", TAMIL.replace("காலையில்", "காలైలో")),
    ],
)
def test_a_fault_is_found(flag: str, hypothesis: str) -> None:
    assert flag in flags_of(hypothesis)


@pytest.mark.parametrize(
    "hypothesis",
    [
        TAMIL,
        f"  {TAMIL.replace(' ', '  ')} ",
        "வயதான நோயாளிக்கு காலையில் செவிலியர் மருந்து தருகிறார், டாக்டர் மெல்ல மெல்ல பிறகு வருவார்.",
        TAMIL.replace("மருத்துவர்", "Doctor Smith"),
        TAMIL.replace("மருந்தைக்", "5 μg மருந்தைக்"),
    ],
)
def test_a_good_translation_has_no_flag(hypothesis: str) -> None:
    assert flags_of(hypothesis) == ()


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("OK", "OK"),
        ("No, no, no, no!", "இல்லை, இல்லை, இல்லை, இல்லை!"),
        ("🙂", "🙂"),
        ("...", "..."),
        (
            "It is called 武汉肺炎 in Chinese newspapers.",
            "இது சீனச் செய்தித்தாள்களில் 武汉肺炎 எனப்படுகிறது.",
        ),
        ("World Health Organization, International Monetary Fund",) * 2,
        ("", ""),
    ],
)
def test_what_the_reference_does_too_is_not_a_fault(source: str, kept: str) -> None:
    assert flags_of(kept, source, [kept]) == ()


@pytest.mark.parametrize(
    ("hypothesis", "is_lacking"),
    [
        ("விலை 1,500 ரூபாய்", False),
        ("விலை 1.500 ரூபாய்", False),
        ("விலை 1 500 ரூபாய்", False),
        ("விலை 1\u202f500 ரூபாய்", False),
        ("விலை ௧௫௦௦ ரூபாய்", False),
        ("விலை ١٥٠٠ ரூபாய்", False),
        ("விலை 1500.00 ரூபாய்", False),
        ("விலை 1,600 ரூபாய்", True),
        ("விலை ரூபாய்", True),
        ("விலை 150 ரூபாய்", True),
    ],
)
def test_a_number_may_be_written_in_any_digits_and_with_any_separator(
    hypothesis: str, is_lacking: bool
) -> None:
    flags = flags_of(hypothesis, "The price is 1,500 rupees", ["விலை 1,500 ரூபாய்"])
    assert ("numbers" in flags) == is_lacking


@pytest.mark.parametrize(
    ("hypothesis", "is_lacking"),
    [("5 mg எடுக்கவும்", False), ("ஐந்து mg எடுக்கவும்", False), ("50 mg எடுக்கவும்", True)],
)
def test_a_small_number_may_be_a_word_but_not_another_number(
    hypothesis: str, is_lacking: bool
) -> None:
    flags = flags_of(hypothesis, "Take 5 mg", ["5 mg எடுக்கவும்"])
    assert ("numbers" in flags) == is_lacking


def test_a_number_of_any_length_can_be_compared() -> None:
    digits = "9" * 6000
    assert "numbers" not in flags_of(digits, digits, [digits])
    assert "numbers" in flags_of("1" + digits, digits, [digits])


@pytest.mark.parametrize(
    ("source", "kept", "lacking", "flag"),
    [
        (
            "See https://example.org/help for more.",
            "மேலும் https://example.org/help-ல் பார்க்கவும்.",
            "மேலும் https://example.org/ல் பார்க்கவும்.",
            "urls",
        ),
        (
            "Write to Anna@Example.org today.",
            "இன்று anna@example.org க்கு எழுதவும்.",
            "இன்று anna க்கு எழுதவும்.",
            "urls",
        ),
        ("Hello {name}, welcome.", "வணக்கம் {name}, வருக.", "வணக்கம் {பெயர்}, வருக.", "placeholders"),
        ("Hello {{ name }}!", "வணக்கம் {{ name }}!", "வணக்கம் {{ பெயர் }}!", "placeholders"),
        ("%d of %1$s files", "%1$s கோப்புகளில் %d", "கோப்புகளில் %d", "placeholders"),
        ("Cost: ${price}", "விலை: ${price}", "விலை: $ {price", "placeholders"),
        (
            'Click <a href="x" title="home">here</a>.',
            'இங்கே <a href="x" title="முகப்பு">சொடுக்கவும்</a>.',
            "இங்கே சொடுக்கவும்.",
            "placeholders",
        ),
        ("<b>A</b> and <b>B</b>", "<b>அ</b>, <b>ஆ</b>", "<b>அ</b>, ஆ", "placeholders"),
        (
            "The agency NASA sent Curiosity to Mars.",
            "NASA நிறுவனம் Curiosity ஐ செவ்வாய்க்கு அனுப்பியது.",
            "NASA நிறுவனம் ஒரு விண்கலத்தை செவ்வாய்க்கு அனுப்பியது.",
            "names",
        ),
    ],
)
def test_what_has_to_stay_as_it_is_is_missed(
    source: str, kept: str, lacking: str, flag: str
) -> None:
    assert flag not in flags_of(kept, source, [kept])
    assert flag in flags_of(lacking, source, [kept])


def test_a_name_may_have_an_ending_but_not_be_inside_another_word() -> None:
    def lacks_name(hypothesis: str) -> bool:
        source, reference = "Yesterday Merkel met Ann.", "Gestern traf Merkel auf Ann."
        return "names" in flags_of(hypothesis, source, [reference], ("eng_Latn", "deu_Latn"))

    assert not lacks_name("Merkels Treffen mit Ann war gestern.")
    assert not lacks_name("merkel traf gestern ann.")
    assert lacks_name("Gestern traf Merkel auf Johann.")


def test_a_word_at_the_start_of_a_sentence_is_not_a_name() -> None:
    source, reference = (
        "In Berlin it rains. In winter it snows.",
        "In Berlin regnet es. In der Kälte schneit es.",
    )
    hypothesis = "Es regnet zu Berlin, und es schneit winters."
    assert "names" not in flags_of(hypothesis, source, [reference], ("eng_Latn", "deu_Latn"))


def test_only_what_every_reference_keeps_is_expected() -> None:
    references = ["NASA 24 மணி நேரமும் செயல்படுகிறது.", "நாசா எப்போதும் செயல்படுகிறது."]
    source = "The agency NASA works 24 hours a day."
    for reference in references:
        assert flags_of(reference, source, references) == ()
    assert {"names", "numbers"} <= {*flags_of(references[1], source, references[:1])}


def test_a_blank_reference_counts_as_missing() -> None:
    assert flags_of(TAMIL, SOURCE, [TAMIL, ""]) == ()
    assert "numbers" in flags_of("ரூபாய்", "It costs 250 rupees", ["250 ரூபாய்", " "])
    assert "empty" in flags_of("", SOURCE, [""])


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zho_Hans", "护士早上把药交给年老的病人，医生晚些时候来查房。"),
        ("jpn_Jpan", "看護師は朝、年配の患者に薬を渡し、医師はあとで来ます。"),
        ("tha_Thai", "พยาบาลให้ยาแก่ผู้ป่วยสูงอายุในตอนเช้าและแพทย์จะมาในภายหลัง"),
        ("khm_Khmr", "គិលានុបដ្ឋាយិកាផ្តល់ថ្នាំដល់អ្នកជំងឺចាស់នៅពេលព្រឹក។"),
        ("kor_Hang", "간호사는 아침에 나이 든 환자에게 약을 주고 의사는 나중에 온다."),
    ],
)
def test_scripts_without_spaces_are_judged_by_characters(language: str, text: str) -> None:
    pair = ("eng_Latn", language)
    assert flags_of(text, SOURCE, [text], pair) == ()
    assert "repeated" in flags_of(text + text[-6:] * 5, SOURCE, [text], pair)
    assert "repeated" in flags_of(text * 3, SOURCE, [text], pair)
    assert "truncated" in flags_of(text[:6], SOURCE, [text], pair)
    assert {"copied", "off_target"} <= {*flags_of(SOURCE, SOURCE, [text], pair)}


def test_another_language_in_the_same_script_is_found() -> None:
    german = "Die Krankenschwester gibt dem alten Patienten am Morgen die Medizin."
    dutch = "De verpleegster geeft de oude patiënt 's ochtends het medicijn en gaat naar huis."
    assert "off_target" in flags_of(dutch, SOURCE, [german], ("eng_Latn", "deu_Latn"))
    assert flags_of(german, SOURCE, [german], ("eng_Latn", "deu_Latn")) == ()


def test_related_languages_may_have_nearly_the_same_sentences() -> None:
    danish, norwegian = "Vi kan ikke komme i morgen.", "Vi kan ikke komme i morgen."
    assert flags_of(norwegian, danish, [norwegian], ("dan_Latn", "nob_Latn")) == ()


def test_counts_say_how_many_translations_could_have_a_fault() -> None:
    sources = ("Take 25 mg daily.", "Thank you very much.", "")
    references = ("தினமும் 25 mg எடுக்கவும்.", "மிக்க நன்றி.", "")
    test_set = TestSet("test", sources, (references,), "eng_Latn", "tam_Taml")
    found = find_flags(test_set, ["தினமும் எடுக்கவும்.", "மிக்க நன்றி.", ""])
    assert list(found.counts) == list(FLAGS)
    assert found.counts["numbers"] == (1, 1)
    assert found.counts["empty"] == (0, 2)
    assert found.counts["urls"] == (0, 0)
    assert found.by_sentence == [("numbers",), (), ()]


def test_flags_of_a_sentence_are_in_the_order_of_the_table() -> None:
    flags = flags_of("no", "Take 25 mg at https://example.org", ["25 mg https://example.org"])
    assert list(flags) == [flag for flag in FLAGS if flag in flags]
    assert {"numbers", "urls"} <= {*flags}


def test_a_long_row_of_zeros_is_not_tried_in_every_division() -> None:
    # With a backtracking pattern, this would take minutes.
    assert not find_placeholders("%" + 100_000 * "0")


@pytest.mark.parametrize("target", ["tam_Taml", "zho_Hans", "jpn_Jpan", "kor_Hang", "hin_Deva"])
def test_the_check_of_one_text_by_script_agrees_with_that_of_a_set(target):
    texts = [
        "இந்த வீடு மிகவும் அழகாக இருக்கிறது. Python 3.",
        "यह घर बहुत सुन्दर है, NASA",
        "我在Massachusetts Institute工作",
        "나는 Massachusetts 공과대학교에서 일합니다",
        "நான் Massachusetts Institute of Technology",
        "Hello, this is not translated.",
        "https://example.org/abcdefghijk",
        "hi",
        "",
        "123",
    ]
    found = find_off_target(texts, target, kinds("eng_Latn", target)).tolist()
    assert [is_in_other_script(text, "eng_Latn", target) for text in texts] == found
    assert len(set(found)) == 2
