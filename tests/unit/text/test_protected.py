"""Words that are not language, and the words of a sentence between its marks."""

import re
from random import Random

import pytest

from nmt.text import edges, protected
from nmt.text.edges import core_of, has_words, mask
from nmt.text.protected import find_protected, is_positional


def found(text: str, kind: str) -> list[str]:
    return [text[word.start : word.end] for word in find_protected(text) if word.kind == kind]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See https://example.org/a_(b)?c=d&e=f#g.", ["https://example.org/a_(b)?c=d&e=f#g"]),
        ("(www.example.org/old), ok", ["www.example.org/old"]),
        ("to a.b+c@mail.example.co.in. Then", ["a.b+c@mail.example.co.in"]),
        ("https://example.org/{{ id }}/x?y=%s!", ["https://example.org/{{ id }}/x?y=%s"]),
        ("{name}, {{x}}: {{{y}}} {% if z %} <% e %>", 5),
        ("${sum} #{a} %{b} {0:.2f} {} $NAME$ @@X@@", 7),
        ("%s of %1$s, %(total)d, %-5.2f, %%, %ld and %1", 7),
        ("5%% off for %d%s", ["5%%", "%d%s"]),
        ("{n, plural, one {# file in {dir}} other {# files}} left", 1),
        ("100% of it, 9:30 a.m., $5 or $10, 3 × 4, e.g. the U.S.", []),
        ("https://example.org/a这是一句话", ["https://example.org/a"]),
        ("https://ta.example.org/தமிழ்", ["https://ta.example.org/தமிழ்"]),
        ("plain words", []),
    ],
)
def test_addresses_and_placeholders_are_found(text: str, expected: list[str] | int) -> None:
    words = found(text, "fixed")
    assert (words if isinstance(expected, list) else len(words)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("edit /etc/app.conf, ~/x/y and ./z", ["/etc/app.conf", "~/x/y", "./z"]),
        ("docs/api.md and Node.js", ["docs/api.md", "Node.js"]),
        ("run_it() or a.bc.def or --force", ["run_it()", "--force"]),
        ("os.path.join of snake_case :tada:", ["os.path.join", "snake_case", ":tada:"]),
        ("and/or km/h 1/2 foo.Bar 10:30:15", []),
    ],
)
def test_names_are_found(text: str, expected: list[str]) -> None:
    assert found(text, "name") == expected


def test_emoji_are_whole() -> None:
    assert found("a 👨‍👩‍👧 b 🇮🇳 c 1️⃣ d ❤️", "emoji") == ["👨‍👩‍👧", "🇮🇳", "1️⃣", "❤️"]


def test_placeholders_that_are_filled_by_position() -> None:
    words = ["%s", "%d", "{}", "%.2f", "%1$s", "%(a)s", "{0}", "{a}", "%%"]
    assert [word for word in words if is_positional(word)] == ["%s", "%d", "{}", "%.2f"]


@pytest.mark.parametrize(
    ("text", "core"),
    [
        ("1. First thing.", "First thing."),
        ("  (2) Two ", "Two"),
        ("1.2.3 Title", "Title"),
        ("## Heading ##", "Heading"),
        ("> > - [ ] a task", "a task"),
        ("-No!", "No!"),
        ("-5 degrees", "-5 degrees"),
        ("2.14 metres", "2.14 metres"),
        ("♪ la la ♪", "la la"),
        ("Web: https://example.org", "Web:"),
        ("Ask {name}.", "Ask {name}."),
        ("{name}: hello", "hello"),
        ("“Quoted.”", "“Quoted.”"),
    ],
)
def test_the_words_of_a_sentence_are_without_its_marks(text: str, core: str) -> None:
    start, end = core_of(mask(text, find_protected(text)), 0, len(text))
    assert text[start:end] == core


def test_words_are_those_of_the_script_of_the_language() -> None:
    assert has_words("வணக்கம் a", "eng_Latn")
    assert not has_words("வணக்கம் 12", "eng_Latn")
    assert has_words("வணக்கம்", "en")  # a bare code may be of any script
    assert has_words("仮名", "jpn_Jpan")


@pytest.mark.parametrize(
    "unit",
    [
        *("{{", "{%", "{", "<%", "a", "a.", "a_", "/a", "a@", "%", "{a, plural, ", "{a, plural, {"),
        *(":a", "http://", "www.a(", "(", "a-", "--a", "$a", "@@a", "👨\u200d", "%(a", "{{a", "\\"),
        *("a:\\", "1", "1%d", ")", "()", "(]", "x://", ")", "a.a/", "_a.", "{{{a", "#{", "a()."),
        *("- ", "1. ", "> ", "\u200b ", "#", '?"', "\ue001:", "\ue000", "=_|"),
    ],
)
def test_no_text_takes_more_than_linear_time(unit: str) -> None:
    """With the square of the length, one of these would take minutes."""
    text = f"https://a.b/{unit * 50_000} {unit * 50_000}"[:100_000]
    core_of(mask(text, find_protected(text)), 0, len(text))


_PIECES = (
    *"aB9_@:.,-()<%/\\{}$+ é☀😀Ⓜⓜ\u20e3\u2934\U000f0001\ue000\ue001\ue003~|•*#>=[]!?\"'“–",
    *("www.", "Tel:", "mailto:", "x.com", "a_b", "://", "1. ", "@@", "--", "()", "<%", "\n"),
)


def random_texts(count: int) -> list[str]:
    random = Random(7)
    return ["".join(random.choices(_PIECES, k=random.randint(1, 8))) for _ in range(count)]


def test_text_without_a_sign_of_protected_words_has_none():
    pattern: re.Pattern[str] = protected._PATTERN
    for text in random_texts(20_000):
        assert protected._SIGN.search(text) or not pattern.search(text), text


def test_sentences_with_simple_edges_have_the_same_core_as_by_the_patterns():
    for text in random_texts(20_000):
        leading = edges._LEADING.match(text)
        first = leading.end() if leading else 0
        trailing = edges._TRAILING.match(text[first:][::-1])
        expected = (first, len(text) - trailing.end() if trailing else len(text))
        assert core_of(text, 0, len(text)) == expected, text
