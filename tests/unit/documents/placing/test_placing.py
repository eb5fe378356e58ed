"""Inline codes are put beside the words of a translation that they had in the source."""

import re
import string

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from nmt.documents.content import Code
from nmt.documents.translation.placing import CodeAt, place_codes, texts_to_translate
from nmt.documents.translation.words import words_of
from tests.support.inline_codes import read_tags, write_tags

TAMIL = "1998 இல் அவர் நதியின் அருகே ஒரு பெரிய மரத்தின் கீழ் அமர்ந்தார்."


def placed(tagged: str, target: str, translations: dict[str, str] | None = None) -> str:
    source, codes = read_tags(tagged)
    placement = place_codes(source, target, codes, translations or {})
    assert placement.cut == ()
    return write_tags(target, placement)


@pytest.mark.parametrize(
    ("tagged", "target", "translations", "expected"),
    [
        pytest.param(
            "He sat under a <b>big tree</b> near the <a>river</a> in 1998.",
            TAMIL,
            {"big tree": "பெரிய மரம்", "river": "நதி"},
            "1998 இல் அவர் <a>நதியின்</a> அருகே ஒரு <b>பெரிய மரத்தின்</b> கீழ் அமர்ந்தார்.",
            id="words with other endings, in another order",
        ),
        pytest.param(
            "In <b>1998</b> he sat by the river.",
            "நதியின் அருகே 1998இல் அவர் அமர்ந்தார்.",
            {},
            "நதியின் அருகே <b>1998இல்</b> அவர் அமர்ந்தார்.",
            id="a number that an ending is glued to",
        ),
        pytest.param(
            "Press <a>\ue000</a> and then <a>\ue001</a>.",
            "முதலில் \ue001 பிறகு \ue000 ஐ அழுத்தவும்.",
            {},
            "முதலில் <a>\ue001</a> பிறகு <a>\ue000</a> ஐ அழுத்தவும்.",
            id="tokens in another order",
        ),
        pytest.param(
            "Click <a>here</a> or <a>here</a>.",
            "Klicken Sie hier oder hier.",
            {"here": "hier"},
            "Klicken Sie <a>hier</a> oder <a>hier</a>.",
            id="equal texts keep their order",
        ),
        pytest.param(
            "The house by the other <a>house</a>.",
            "Das Haus bei dem anderen Haus.",
            {"house": "Haus"},
            "Das Haus bei dem anderen <a>Haus</a>.",
            id="the second of two equal words",
        ),
        pytest.param(
            "He wrote <b>good <i>books</i></b> there.",
            "Dort schrieb er gute Bücher.",
            {"good books": "gute Bücher", "books": "Bücher"},
            "Dort schrieb er <b>gute <i>Bücher</i></b>.",
            id="a pair in a pair",
        ),
        pytest.param(
            'He read the <i>"manual"</i> (<a>PDF, 3 MB</a>) yesterday.',
            "Gestern las er das „Handbuch“ (PDF, 3 MB).",
            {'"manual"': '"Handbuch"'},
            "Gestern las er das <i>„Handbuch“</i> (<a>PDF, 3 MB</a>).",
            id="quotation marks inside, brackets outside",
        ),
        pytest.param(
            "The river<f/> is near the tree.",
            "மரம் நதி அருகே உள்ளது.",
            {"river": "நதி"},
            "மரம் நதி<f/> அருகே உள்ளது.",
            id="a footnote mark behind its word",
        ),
        pytest.param(
            "See the <b>river</b>,<f/> please.",
            "தயவுசெய்து நதி, பாருங்கள்.",
            {"river": "நதி"},
            "தயவுசெய்து <b>நதி</b>,<f/> பாருங்கள்.",
            id="a footnote mark behind a pair and a comma",
        ),
        pytest.param(
            "Yesterday he sat under a <b>big tree</b>.",
            "他昨天坐在一棵大树下面。",
            {"big tree": "大树"},
            "他昨天坐在一棵<b>大树</b>下面。",
            id="without spaces between words",
        ),
        pytest.param(
            "Visit <a>our website</a> or write to <b>Zhang San</b>.",
            "เยี่ยมชมเว็บไซต์ของเราหรือเขียนถึงจางซาน",
            {"our website": "เว็บไซต์ของเรา", "Zhang San": "จางซาน"},
            "เยี่ยมชม<a>เว็บไซต์ของเรา</a>หรือเขียนถึง<b>จางซาน</b>",
            id="vowels before their letter",
        ),
        pytest.param(
            "مرحبا <b>بالعالم</b>، زر الموقع اليوم.",
            "Hello world, visit the site today.",
            {"بالعالم": "in the world"},
            "Hello <b>world</b>, visit the site today.",
            id="a word without the small words around it",
        ),
        pytest.param(
            "<b>Every word</b>.",
            "ஒவ்வொரு வார்த்தையும்.",
            {},
            "<b>ஒவ்வொரு வார்த்தையும்</b>.",
            id="a pair around all words",
        ),
        pytest.param(
            "Really <b>?</b> he said <i></i> then.",
            "அவர் கூறினார் உண்மையில் ?",
            {},
            None,
            id="punctuation alone",
        ),
    ],
)
def test_codes_are_put_beside_the_words_that_they_belong_to(
    tagged: str, target: str, translations: dict[str, str], expected: str | None
):
    if expected is None:
        assert "<b>?</b>" in placed(tagged, target, translations)
    else:
        assert placed(tagged, target, translations) == expected


@pytest.mark.parametrize(
    "tagged",
    [
        "<b>Note</b>: a<i>b</i>c, co<w/>operate <u> now </u>!<f/>",
        "Straße <b>und</b> Stra<w/>ße fi<w/>x",
        "<b>x<i></i></b><u></u> don't <a>re</a>-enter 9,<w/>400",
    ],
)
@pytest.mark.parametrize("convert", [str, str.upper, lambda text: f"⟦{text}⟧"])
def test_a_translation_that_repeats_the_source_has_its_codes_at_the_same_letters(
    tagged: str, convert
):
    source, _ = read_tags(tagged)
    written = placed(tagged, convert(source))
    marked = "".join(
        part if part.startswith("<") else convert(part) if convert is str.upper else part
        for part in re.split(r"(</?\w+/?>)", tagged)
    )
    assert written.replace("⟦", "").replace("⟧", "") == marked


def test_a_sentence_is_cut_at_a_link_that_was_not_found():
    source, codes = read_tags("Go to the <a>bank</a> <b>now</b>.")
    placement = place_codes(source, "இப்போது வங்கிக்குச் செல்லுங்கள்.", codes, {"now": "இப்போது"})
    assert placement.cut == ((10, 0), (14, 2))
    assert [source[: placement.cut[0][0]], source[10:14]] == ["Go to the ", "bank"]


def test_a_sentence_is_cut_at_a_pair_whose_sign_was_lost():
    source, codes = read_tags("near <b>—</b> the town")
    assert place_codes(source, "near the town", codes, {}).cut == ((5, 0), (6, 2))


def test_a_token_stays_in_its_pair():
    source, codes = read_tags("Press <b>\ue000 now</b> or \ue001.")
    placement = place_codes(source, "\ue000 ஐ அல்லது \ue001 ஐ இப்போது அழுத்தவும்.", codes, {})
    assert not placement.cut


def test_a_sentence_is_cut_where_a_token_crosses_half_of_a_pair():
    source = "Press \ue000 now or later."
    codes = [CodeAt(8, Code("<b>", "open"))]
    placement = place_codes(source, "இப்போது பிறகு \ue000 அழுத்தவும்.", codes, {"now": "இப்போது"})
    assert placement.cut == ((8, 0), (8, 1))


def test_a_cut_inside_a_pair_is_also_made_around_it():
    source, codes = read_tags("One <b>two <a>three</a></b> four.")
    placement = place_codes(source, "ஒன்று இரண்டு மூன்று நான்கு.", codes, {"two three": "இரண்டு மூன்று"})
    assert placement.cut == ((4, 0), (8, 1), (13, 3), (13, 4))


def test_emphasis_that_was_not_found_is_guessed_and_reported():
    source, codes = read_tags("One two <b>three</b> four.")
    placement = place_codes(source, "ஒன்று இரண்டு மூன்று நான்கு.", codes, {})
    assert write_tags("ஒன்று இரண்டு மூன்று நான்கு.", placement) == "ஒன்று இரண்டு <b>மூன்று</b> நான்கு."
    assert placement.guessed == (codes[0].code,)
    assert placement.cut == ()


def test_pairs_without_words_left_for_them_are_cut_out():
    source, codes = read_tags("<b>One</b> <i>two</i> <u>three</u>")
    placement = place_codes(source, "ஒன்று", codes, {"One": "ஒன்று"})
    assert placement.cut == ((4, 2), (7, 4), (8, 4))


def test_texts_of_pairs_and_words_at_single_codes_are_translated_alone():
    source, codes = read_tags(
        "The <b>old\n house</b> of 1<w/>9 <a>\ue000</a> stands<f/> <i>42</i>."
    )
    assert texts_to_translate(source, codes) == ["old house", "stands"]
    assert texts_to_translate(*read_tags("<b>Every word</b>.")) == []


def test_codes_that_open_or_close_alone_keep_their_order():
    source = "One two three four five"
    codes = [
        CodeAt(4, Code("</i>", "close")),
        CodeAt(8, Code("<b>", "open", 1)),
        CodeAt(14, Code("<i>", "open", 2)),
        CodeAt(18, Code("</b>", "close", 1)),
        CodeAt(19, Code("</i>", "close", 2)),
    ]
    translations = {"two": "zwei", "three four": "drei vier", "five": "fünf"}
    placement = place_codes(source, "fünf vier drei zwei eins", codes, translations)
    raws = [each.code.raw for each in placement.codes]
    assert [raw for raw in raws if raw.endswith("i>")] == ["</i>", "<i>", "</i>"]
    assert raws.index("<b>") < raws.index("</b>")


WORDS = st.lists(
    st.sampled_from(
        ["ab", "abc", "Xy", "7", "7இல்", "நதி", "நதியில்", "大", "\ue000", "-", "(", "!", "😀"]
    ),
    max_size=12,
)


@st.composite
def tagged_sentences(draw: st.DrawFn) -> str:
    parts: list[str] = []
    open_tags: list[str] = []
    for word in draw(WORDS):
        for _ in range(draw(st.integers(0, 2))):
            match draw(st.sampled_from("ocp ")):
                case "o":
                    open_tags.append(draw(st.sampled_from("abiu")))
                    parts.append(f"<{open_tags[-1]}>")
                case "c" if open_tags:
                    parts.append(f"</{open_tags.pop()}>")
                case "p":
                    parts.append("<f/>")
                case _:
                    parts.append(" ")
        parts.append(word)
    return "".join([*parts, *(f"</{tag}>" for tag in reversed(open_tags))])


@given(
    tagged_sentences(),
    WORDS.map(" ".join) | WORDS.map("".join) | st.text(string.printable, max_size=30),
    st.lists(WORDS.map(" ".join), min_size=1, max_size=3),
)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_any_translation_has_every_code_once_and_nested_as_the_source(
    tagged: str, target: str, translations: list[str]
):
    source, codes = read_tags(tagged)
    texts = texts_to_translate(source, codes)
    own = {text: translations[index % len(translations)] for index, text in enumerate(texts)}
    placement = place_codes(source, target, codes, own)
    assert {id(each.code) for each in placement.codes} == {id(each.code) for each in codes}
    assert len(placement.codes) == len(codes)
    positions = [each.position for each in placement.codes]
    assert positions == sorted(positions)
    assert all(0 <= position <= len(target) for position in positions)
    assert parents(placement.codes) == parents(codes)
    cuts = [*placement.cut]
    note(ascii((tagged, target, own, write_tags(target, placement), cuts)))
    assert cuts == sorted(set(cuts))
    if not cuts and words_of(source) and words_of(target):
        had_text, has_text = texts_of_pairs(source, codes), texts_of_pairs(target, placement.codes)
        assert all(has_text[pair].strip() for pair, text in had_text.items() if text.strip())


def parents(codes) -> dict[int, int | None]:
    """Find the pair that each code is directly in; fail if pairs cross."""
    found: dict[int, int | None] = {}
    open_pairs: list[int] = []
    for each in codes:
        if each.code.kind == "close":
            assert open_pairs.pop() == each.code.pair
        found[id(each.code)] = open_pairs[-1] if open_pairs else None
        if each.code.kind == "open":
            open_pairs.append(each.code.pair)
    assert not open_pairs
    return found


def texts_of_pairs(text: str, codes) -> dict[int, str]:
    starts = {each.code.pair: each.position for each in codes if each.code.kind == "open"}
    return {
        each.code.pair: text[starts[each.code.pair] : each.position]
        for each in codes
        if each.code.kind == "close"
    }
