"""The translation of segments: what is sent to the model, and what becomes of its answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from nmt.decoding.settings import Search
from nmt.documents.content import Code, plain_text
from nmt.documents.translation.pipeline import TranslationOptions, translate_segments
from nmt.documents.translator import Candidate
from tests.support.sentence_translators import CHANGES, FakeTranslator, segment, translate, written


def translated(tagged: str, change: str, *, is_wrapped: bool = True) -> str:
    return written(translate([segment(tagged, is_wrapped=is_wrapped)], CHANGES[change])[0].content)


def sent(tagged: str, *, is_wrapped: bool = True) -> list[str]:
    translator = FakeTranslator(str.lower)
    translate([segment(tagged, is_wrapped=is_wrapped)], translator)
    return translator.calls[0][0] if translator.calls else []


@pytest.mark.parametrize(
    "tagged",
    [
        "Dear {name}, you have %d units.  Pay ${sum} now.",
        "The <b>caf&eacute;</b>\n  opens at 5&nbsp;p.m. <a>here</a><x/>.",
        "<b>One. Two</b> three.<br>Four\t\tfive",
        "hy\u00adphen\u00adated, cafe\u0301, \u200bfi\u200fne ",
        "1. <i> spaced </i> out <x/> here",
        "“Go,” she said… ‘Why?’",
    ],
)
def test_an_unchanged_sentence_is_as_it_was(tagged: str) -> None:
    result = translate([segment(tagged)], CHANGES["identity"])[0]
    assert written(result.content) == tagged
    assert result.content == segment(tagged).content or "<" in tagged


@pytest.mark.parametrize(
    ("tagged", "expected"),
    [
        (
            "The <b>caf&eacute;</b>\n  opens at 5&nbsp;km <a>here</a><x/>.",
            "THE <b>CAFÉ</b>\n  OPENS AT 5&nbsp;KM <a>HERE</a><x/>.",
        ),
        ("hy\u00adphen<b>ate</b>d  😀 {x} <img> no", "HY\u00adPHEN<b>ATE</b>D  😀 {x} <img> NO"),
        ("Straße <i>groß</i>e", "STRASSE <i>GROSS</i>E"),
    ],
)
def test_codes_of_a_copy_in_capitals_are_at_the_same_letters(tagged: str, expected: str) -> None:
    assert translated(tagged, "upper") == expected


@pytest.mark.parametrize(
    ("tagged", "expected"),
    [
        ("See the <b>page</b> now.<br>Next one", "⟦See the <b>page</b> now.⟧<br>⟦Next one⟧"),
        ("<b>Whole sentence.</b>", "<b>⟦Whole sentence.⟧</b>"),
        ("<b>One. Two</b> three.", "<b>⟦One.⟧ ⟦Two</b> three.⟧"),
        ("1. First thing.  2 left", "1. ⟦First thing.⟧  ⟦2 left⟧"),
        ("> ## A heading ##", "> ## ⟦A heading⟧ ##"),
        ("-No! 🎉", "-⟦No!⟧ 🎉"),
        ("• one", "• ⟦one⟧"),
        ("Web: https://example.org/a.b?c=d.", "⟦Web:⟧ https://example.org/a.b?c=d."),
        ("See https://example.org/a.b.", "⟦See https://example.org/a.b.⟧"),
        ("{name}: hello", "{name}: ⟦hello⟧"),
        ("Use foo.Bar of docs/a.md. Then go.", "⟦Use foo.Bar of docs/a.md.⟧ ⟦Then go.⟧"),
        ("12,5 – 13 %", "12,5 – 13 %"),
        ("a@b.example", "a@b.example"),
        ("இந்த வரி தமிழில் உள்ளது.", "இந்த வரி தமிழில் உள்ளது."),
        ("<img>", "<img>"),
        ("{count, plural, one {# file} other {# files}}", None),
    ],
)
def test_only_words_are_translated(tagged: str, expected: str | None) -> None:
    assert translated(tagged, "brackets") == (tagged if expected is None else expected)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"])
def test_a_line_break_ends_a_sentence_and_comes_back(line_break: str) -> None:
    tagged = f"One two{line_break}three four"
    expected = f"⟦One two⟧{line_break}⟦three four⟧"
    assert translated(tagged, "brackets", is_wrapped=False) == expected


def test_wrapped_lines_are_one_sentence() -> None:
    assert sent("Dr.\n  Smith <b>came\nhome</b>.")[0] == "Dr. Smith came home."


def test_equal_sentences_are_asked_for_once_and_all_in_one_call() -> None:
    translator = FakeTranslator({"Hello there.": "வணக்கம்.", "Go on.": "தொடருங்கள்."}.__getitem__)
    translate([segment("Hello there. Go on."), segment("Hello there."), segment("9")], translator)
    assert translator.calls == [(["Hello there.", "Go on."], Search())]


def test_nothing_is_asked_without_words() -> None:
    assert sent("12 – <img> https://example.org") == []


def test_the_text_of_a_tag_is_asked_for_in_the_same_call() -> None:
    assert sent("The <b>red box</b> fell.") == ["The red box fell.", "red box"]


def test_words_that_must_survive_are_numbers_for_the_model() -> None:
    (sentence,) = sent("Dear {name}, {name} and 217 others")
    assert "{" not in sentence
    numbers = [word.strip(",") for word in sentence.split() if word.strip(",").isdecimal()]
    assert len(set(numbers)) == 3
    assert "217" in numbers


@pytest.mark.parametrize("change", ["Tamil digits", "endings", "turned"])
def test_a_stand_in_is_recognised(change: str) -> None:
    result = translate([segment("Open {file} for me")], CHANGES[change])[0]
    assert plain_text(result.content).count("{file}") == 1
    assert "cut" not in [warning.kind for warning in result.warnings]


def test_a_lost_word_is_asked_for_again_and_then_cut_out() -> None:
    translator = FakeTranslator(lambda s: "ஆம்" if len(s.split()) > 2 else s.upper())
    result = translate([segment("Open it {file} for me")], translator)[0]
    assert written(result.content) == "OPEN IT {file} FOR ME"
    assert [warning.kind for warning in result.warnings].count("cut") == 1
    assert len(translator.calls) >= 3


def test_the_parts_of_a_cut_sentence_keep_their_signs() -> None:
    tagged = "Hello {name}, do read ({file}) now <a>there</a>, 😀."
    result = translate([segment(tagged)], lambda s: " ".join("ஆம்" for _ in s.split()) + ".")[0]
    assert written(result.content).startswith("ஆம் {name}, ஆம் ஆம் ({file}) ஆம்")
    assert written(result.content).endswith(" <a>ஆம்</a>. 😀")


def test_placeholders_without_a_number_keep_their_order() -> None:
    text = written(translate([segment("Move %s to %d now")], CHANGES["turned"])[0].content)
    assert text.index("%s") < text.index("%d")
    text = written(translate([segment("Move %d%% to %s now")], CHANGES["turned"])[0].content)
    assert text.index("%d%%") < text.index("%s")
    named = written(translate([segment("Move {a} to {b} now")], CHANGES["turned"])[0].content)
    assert named.index("{b}") < named.index("{a}")
    source = replace(segment("Move {a} to {b} now"), positional=True)
    text = written(translate([source], CHANGES["turned"])[0].content)
    assert text.index("{a}") < text.index("{b}")


def test_a_name_must_be_copied() -> None:
    translator = FakeTranslator(lambda s: s.replace("notes.txt", "குறிப்பு").replace("Open", "திற"))
    result = translate([segment("Open notes.txt today")], translator)[0]
    assert written(result.content) == "திற notes.txt today"


def test_what_the_model_invents_is_not_taken() -> None:
    result = translate([segment("Plain words.")], CHANGES["markup"])[0]
    assert written(result.content) == "Plain words."
    assert [warning.kind for warning in result.warnings] == ["copied"]


def test_a_sentence_without_an_end_is_searched_more_widely() -> None:
    searches: list[Search] = []

    async def endless(sentences: Sequence[str], search: Search) -> list[list[Candidate]]:
        searches.append(search)
        is_complete = search.no_repeat_ngram_size > 0
        return [[Candidate(f"ஆம் {len(searches)}", 0.5, is_complete)] for _ in sentences]

    options = TranslationOptions("eng_Latn", "tam_Taml")
    (result,) = asyncio.run(translate_segments([segment("Yes, we do.")], endless, options))
    assert written(result.content) == "ஆம் 2"
    assert [search.no_repeat_ngram_size > 0 for search in searches] == [False, True]
    assert searches[1].beam_size == 5


def test_a_missing_term_is_put_in() -> None:
    options = TranslationOptions("eng_Latn", "tam_Taml", glossary={"nurse": "செவிலியர்"})
    result = translate([segment("The nurse came.")], FakeTranslator(str.upper), options)[0]
    assert written(result.content) == "THE செவிலியர் CAME."
    (match,) = result.glossary
    assert (match.source, match.count, match.is_applied) == ("nurse", 1, True)


def test_a_term_that_does_not_survive_is_reported() -> None:
    options = TranslationOptions("eng_Latn", "tam_Taml", glossary={"nurse": "செவிலியர்"})
    result = translate([segment("The nurse came.")], FakeTranslator(lambda s: "ஆம்"), options)[0]
    assert not result.glossary[0].is_applied
    assert ("glossary", "nurse") in [(each.kind, each.source) for each in result.warnings]


def test_alternatives_are_the_next_candidates() -> None:
    options = TranslationOptions("eng_Latn", "tam_Taml", alternatives=2)
    translator = FakeTranslator(str.upper, str.lower, lambda s: s[::-1])
    result = translate([segment("One Two. <b>Three</b>")], translator, options)[0]
    assert translator.calls[0][1].count == 3
    first, second = map(written, result.alternatives)
    assert first == "one two. <b>three</b>"
    assert first != second


def test_the_confidence_is_that_of_the_worst_sentence() -> None:
    assert translate([segment("One.")], str.upper)[0].confidence == 0.9
    assert translate([segment("12")], str.upper)[0].confidence is None


def test_spaces_between_sentences_are_those_of_the_target_language() -> None:
    to_chinese = TranslationOptions("eng_Latn", "zho_Hans")
    translator = FakeTranslator(lambda s: "一。" if s == "One." else "二。")
    result = translate([segment("One. <b>Two.</b>")], translator, to_chinese)[0]
    assert written(result.content) == "一。<b>二。</b>"
    to_english = TranslationOptions("zho_Hans", "eng_Latn")
    result = translate(
        [segment("医生在家。医院在哪里？")], FakeTranslator(lambda s: "Yes."), to_english
    )
    assert written(result[0].content) == "Yes. Yes."


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    options = TranslationOptions(
        "eng_Latn", "tam_Taml", progress=lambda done, total: told.append((done, total))
    )
    translate([segment("One. Two.")], FakeTranslator(str.upper), options)
    assert told[0] == (0, 2)
    assert told[-1][0] == told[-1][1]


def test_codes_without_text_between_them_stay() -> None:
    result = translate([segment("<b></b><x/><x/>")], str.upper)[0]
    assert all(isinstance(piece, Code) for piece in result.content)
    assert len(result.content) == 4
