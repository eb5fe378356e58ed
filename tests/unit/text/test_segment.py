"""Splitting a text into sentences, and a long sentence into parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue]

from nmt.text.segment import split_long, split_text

ALPHABET = st.one_of(
    st.sampled_from(" \t\n\r.,;!?…—-()\"'1234567890abcABC\u00a0\u200b\u2028\x0b\x1c"),
    st.sampled_from("அஆகிமுதிருவ்ரூ்ாி।。、"),
    st.characters(exclude_categories=["Cs"]),
)
TEXTS = st.text(ALPHABET, max_size=200)


def sentences(text: str, language: str = "en") -> list[str]:
    return [part.text for part in split_text(text, language) if part.is_sentence]


@given(TEXTS, st.sampled_from(["en", "ta", "xx"]))
def test_joined_segments_are_the_text(text: str, language: str) -> None:
    segments = split_text(text, language)
    assert "".join(part.text for part in segments) == text


@given(TEXTS)
def test_a_sentence_has_no_space_around_it_and_no_line_break(text: str) -> None:
    for sentence in sentences(text):
        assert sentence == sentence.strip()
        assert "\n" not in sentence
        assert "\r" not in sentence


@given(TEXTS, st.integers(1, 40), st.integers(1, 5))
def test_long_sentences_are_cut_without_loss(text: str, limit: int, width: int) -> None:
    ends = [min(end, len(text)) for end in range(width, len(text) + width, width)]
    parts = split_long(text, ends, limit)
    assert "".join(parts) == text
    assert all(parts)
    assert all(len(part) <= limit * width for part in parts)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("One. Two! Three?", "en", ["One.", "Two!", "Three?"]),
        ("1. First thing.", "en", ["First thing."]),
        ("2. Second.\n(3) Third.", "en", ["Second.", "Third."]),
        ("Dr. Smith came. He left.", "en", ["Dr. Smith came.", "He left."]),
        ("It has 5. We have 6.", "en", ["It has 5.", "We have 6."]),
        ("திரு. குமார் வந்தார். அவர் நல்லவர்.", "ta", ["திரு. குமார் வந்தார்.", "அவர் நல்லவர்."]),
        ("விலை ரூ. 500 ஆகும்.", "ta", ["விலை ரூ. 500 ஆகும்."]),
        ("கி.மு. 300 இல் நடந்தது.", "ta", ["கி.மு. 300 இல் நடந்தது."]),
        ("மு. வரதராசன் எழுதினார்.", "ta", ["மு. வரதராசன் எழுதினார்."]),
        ("“வாருங்கள்!” என்றார் அவர். போனார்.", "ta", ["“வாருங்கள்!” என்றார் அவர்.", "போனார்."]),
        ("“Why?” he asked. “No.” So it was.", "en", ["“Why?” he asked.", "“No.”", "So it was."]),
        ("Use foo.Bar. Open a/b.md now.", "en", ["Use foo.Bar.", "Open a/b.md now."]),
        ("Go to https://a.example/b.c?d. Then", "en", ["Go to https://a.example/b.c?d.", "Then"]),
        ("> - [ ] ## Task ✓\n-No!", "en", ["Task", "No!"]),
        ("Web: a@b.example", "en", ["Web:"]),
        ("வணக்கம்.", "eng_Latn", []),
        ("one\u2028two\x0bthree\x0cfour\x85five", "en", ["one", "two", "three", "four", "five"]),
        ("first line\nsecond line\r\n\r\nthird", "en", ["first line", "second line", "third"]),
        ("", "en", []),
        (" \n\t ", "en", []),
        ("--- * * * ---", "en", []),
    ],
)
def test_a_text_is_split_into_its_sentences(text: str, language: str, expected: list[str]) -> None:
    assert sentences(text, language) == expected


@pytest.mark.parametrize(
    "text",
    [
        "12345",
        "3.14",
        "1,000 – 2,000 (50 %)",
        "௧௨௩",
        "https://example.org/a?b=c&d=e.html",
        "(see.me@mail.example.co.in)",
        "www.example.org, ftp://example.org; MAILTO:a@b.example",
        "https://ta.wikipedia.org/wiki/தமிழ்",
        "* * *",
    ],
)
def test_text_without_a_word_is_kept_as_it_is(text: str) -> None:
    assert sentences(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "See https://example.org.",
        "5 km",
        "A",
        "https://example.org/a这是一句话",
        "Mail a@b.example or call 12345.",
        "Hello.World",
        "@home",
    ],
)
def test_text_with_a_word_beside_an_address_is_a_sentence(text: str) -> None:
    assert "".join(sentences(text)) == text


@pytest.mark.parametrize(
    ("unit", "language"),
    [
        ("(a. b) ", "en"),
        ("திரு. ", "ta"),
        ("The nurse came. ", "en"),
        ("医生在家。", "zh"),
        ("“a. ", "en"),
        ('?"', "en"),
        ("a", "en"),
        ("1. ", "en"),
    ],
)
def test_the_splitter_gets_short_windows_of_a_long_text(
    unit: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The splitter's time grows with the square of the length of its input."""
    sizes: list[int] = []

    def counted(code: str, window: str) -> list[str]:
        sizes.append(len(window))
        return segment(code, window)

    monkeypatch.setattr("nmt.text.segment.segment", counted)
    text = (unit * 40_000)[:40_000]
    assert "".join(part.text for part in split_text(text, language)) == text
    assert max(sizes) <= 2000
    assert sum(sizes) <= 3 * len(text)


def test_a_long_line_is_split_at_the_same_places_as_a_short_one() -> None:
    passage = 'Dr. Smith said: "Yes. We do." (He left. All did.) It was so. “Go on. Now.” '
    assert sentences(passage * 200) == sentences(passage * 20) * 10


def test_a_long_line_without_sentence_ends_is_cut_at_spaces() -> None:
    parts = sentences("word " * 2000)
    assert {word for part in parts for word in part.split()} == {"word"}


@pytest.mark.parametrize(
    ("sentence", "limit", "expected"),
    [
        ("we came, we saw it all", 14, ["we came, ", "we saw it all"]),
        ("one two three four", 9, ["one two ", "three ", "four"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("short", 10, ["short"]),
    ],
)
def test_cuts_prefer_clauses_then_spaces(sentence: str, limit: int, expected: list[str]) -> None:
    assert split_long(sentence, range(1, len(sentence) + 1), limit) == expected


def test_a_vowel_sign_stays_with_its_letter() -> None:
    word = "கிகிகிகிகி"
    for part in split_long(word, range(1, len(word) + 1), 3):
        assert part[0] == "க"
