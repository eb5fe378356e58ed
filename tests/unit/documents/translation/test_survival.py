"""Whatever a model answers, no code and no protected word is lost, doubled or invented."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.documents.content import Code, Content, Segment, Text, plain_text
from nmt.documents.translation.pipeline import TranslationOptions
from nmt.text.normalise import normalise
from tests.support.sentence_translators import (
    CHANGES,
    Change,
    FakeTranslator,
    segment,
    translate,
    written,
)

WORDS = st.sampled_from(
    [
        "The",
        "nurse",
        "came",
        "home.",
        "Dr.",
        "Rao",
        "said:",
        "“Yes!”",
        "12",
        "3.5",
        "{name}",
        "{name}",
        "%s",
        "%d%%",
        "{{x}}",
        "${y}",
        "{}",
        "😀",
        "https://example.org/a?b=c.",
        "a@b.example",
        "notes.txt",
        "foo.Bar",
        "/etc/app.conf",
        ":tada:",
        "(see",
        "e.g.",
        "this)",
        "-",
        ">",
        "1.",
        "#",
        "caf&eacute;",
        "5&nbsp;km",
        "வணக்கம்",
        "医生。",
        "hy\xadphen",
        "\u200b",
        "R&amp;D",
        "ﬁ",
        "café",
    ]
)
PROTECTED = re.compile(
    r"\{\{x\}\}|\{name\}|\$\{y\}|\{\}|%%|%s|%d|https://example\.org/a\?b=c|a@b\.example|&lt;|</b>"
)
SPACES = st.sampled_from([" ", " ", " ", "  ", "\n", "\t", "\u2028"])
LEAVES = st.one_of(WORDS, SPACES, st.sampled_from(["<img>", "<x/>", "<br>", "<x/> "]))


def _in_tag(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from("abiu"), st.lists(texts, max_size=5)).map(
        lambda drawn: f"<{drawn[0]}>{' '.join(drawn[1])}</{drawn[0]}>"
    )


TAGGED = st.lists(
    st.tuples(st.recursive(LEAVES, _in_tag, max_leaves=6), SPACES).map("".join), max_size=14
).map("".join)


def kept(content: Content) -> Counter[str]:
    """Count what must survive: codes, addresses and placeholders, and escapes of spaces."""
    codes = [f"{id(piece)}" for piece in content if isinstance(piece, Code)]
    text = "".join(piece.text if isinstance(piece, Text) else "\ue000" for piece in content)
    words = PROTECTED.findall(text)
    return Counter([*codes, *words, *(sign for sign in text if sign in "\u00a0\u202f")])


def is_nested(content: Content) -> bool:
    opened: list[int] = []
    for piece in content:
        if isinstance(piece, Code) and piece.pair is not None:
            if piece.kind == "open":
                opened.append(piece.pair)
            elif not opened or opened.pop() != piece.pair:
                return False
    return not opened


@settings(max_examples=40, deadline=None, derandomize=True)
@given(TAGGED, st.sampled_from(sorted(CHANGES)), st.booleans())
def test_nothing_is_lost_doubled_or_invented(tagged: str, change: str, is_wrapped: bool) -> None:
    source = segment(tagged, is_wrapped=is_wrapped)
    (result,) = translate([source], CHANGES[change])
    assert kept(result.content) == kept(source.content)
    assert is_nested(result.content)
    if change == "identity":
        assert written(result.content) == written(source.content)
    if change == "upper":
        texts = (plain_text(each.content) for each in (source, result))
        assert len({normalise(text).casefold() for text in texts}) == 1


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.lists(WORDS, max_size=10).map(" ".join), st.text(max_size=30))
def test_any_answer_leaves_what_is_protected(text: str, answer: str) -> None:
    source = segment(text)
    (result,) = translate([source], lambda sentence: answer)
    assert kept(result.content) == kept(source.content)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.booleans())
def test_any_text_comes_back_from_an_identity(text: str, is_wrapped: bool) -> None:
    source = Segment("p", (Text(text, text),), is_wrapped)
    (result,) = translate([source], CHANGES["identity"])
    assert written(result.content) == text


@settings(max_examples=20, deadline=None, derandomize=True)
@given(TAGGED, st.sampled_from(sorted(CHANGES)))
def test_alternatives_keep_everything_too(tagged: str, change: str) -> None:
    source = segment(tagged)
    options = TranslationOptions("eng_Latn", "tam_Taml", alternatives=2)
    translator = FakeTranslator(str.upper, CHANGES[change], CHANGES["turned"])
    (result,) = translate([source], translator, options)
    for alternative in (result.content, *result.alternatives):
        assert kept(alternative) == kept(source.content)
        assert is_nested(alternative)


@pytest.mark.parametrize("count", [30, 1200])
def test_a_sentence_of_many_placeholders_keeps_them_all(count: int) -> None:
    source = segment("use " + " and ".join(["{name}"] * count))
    (result,) = translate([source], CHANGES["every second word"])
    assert kept(result.content) == kept(source.content)


@pytest.mark.parametrize(
    "change",
    [
        lambda sentence: sentence.replace("Copy this address", "இந்த முகவரியை நகலெடுக்கவும்"),
        lambda sentence: " ".join("நகல்" if word.isalpha() else word for word in sentence.split()),
        lambda sentence: "இந்த முகவரியை நகலெடுக்கவும்",
        lambda sentence: " ".join(sentence.split()[::-1]),
    ],
)
def test_a_template_value_at_the_end_of_an_address_survives_a_translation(change: Change) -> None:
    source = "Copy this address: https://x.org/confirm?token={{ token }}"
    result = written(translate([segment(source)], change)[0].content)
    assert result.count("https://x.org/confirm?token={{ token }}") == 1


def test_a_text_that_a_translation_would_break_is_left_as_it_was() -> None:
    """Damaged markup can look like an address that ends inside of a tag's text."""
    link = Code('<a href="x">', "open", 1, is_exact=True), Code("</a>", "close", 1, is_exact=True)
    text = '{"page.org?subject=Visit%20{visit_id}">'
    source = Segment("p[1]", (link[0], Text(text, text), Code("<img>", "word"), link[1]))
    (result,) = translate([source], lambda sentence: "வீடு")
    assert kept(result.content) == kept(source.content)
    assert [piece for piece in result.content if isinstance(piece, Code)].count(link[1]) == 1
