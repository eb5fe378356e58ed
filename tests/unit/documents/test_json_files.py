"""JSON: what people read is translated, and every other byte stays."""

import json

import pytest

from nmt.documents.content import Code, Text
from nmt.documents.document import ReadOptions, TranslatedSegment
from nmt.documents.errors import BrokenDocumentError, DocumentError, DocumentTooLargeError
from nmt.documents.formats.json_strings.document import read_json
from nmt.documents.formats.json_strings.scanner import JsonScanner, escape, unescape

OPTIONS = ReadOptions("eng_Latn", "tam_Taml")


def read(text, **options):
    return read_json(text.encode(), ReadOptions("eng_Latn", "tam_Taml", **options))


def texts(document):
    return [
        "".join(piece.text for piece in s.content if isinstance(piece, Text))
        for s in document.segments
    ]


def translate(document, change):
    """Write a document of which `change` has translated every text."""
    return document.write(
        [
            TranslatedSegment(
                tuple(p if isinstance(p, Code) else Text(change(p.text)) for p in segment.content)
            )
            for segment in document.segments
        ]
    ).decode()


def same(document):
    return document.write([TranslatedSegment(s.content) for s in document.segments]).decode()


FILE = r"""{
  "title": "Opening hours",	"n": [1.0, -0.0, 1e400, true, null, 10000000000000000000000],
  "a\u0062": "First \"text\" \u00e4 \ud83d\ude80 \/ here.\n", "title": "The same key again",
  "deep": [[{"x": ["Texts may be deep."]}]],
  "": " ", "empty": ""
}"""


def test_a_file_that_is_not_translated_comes_back():
    assert same(read(FILE)) == FILE


def test_a_byte_order_mark_and_line_ends_come_back():
    data = b'\xef\xbb\xbf{"a": "A text here.",\r\n"b": 1}\r\n'
    document = read_json(data, OPTIONS)
    assert document.write([TranslatedSegment(s.content) for s in document.segments]) == data


def test_only_values_that_people_read_are_translated():
    document = read(FILE)
    assert [segment.path for segment in document.segments] == [
        "/title",
        "/ab",
        "/title",
        "/deep/0/0/x/0",
    ]
    assert json.loads(translate(document, str.upper)) == json.loads(
        FILE.replace("Opening hours", "OPENING HOURS")
        .replace("First", "FIRST")
        .replace("text\\", "TEXT\\")
        .replace("\\u00e4", "Ä")
        .replace("here", "HERE")
        .replace("The same key again", "THE SAME KEY AGAIN")
        .replace("Texts may be deep", "TEXTS MAY BE DEEP")
    )


@pytest.mark.parametrize(
    "value",
    [
        "Save",
        "Loading…",
        "Don't",
        "Log in",
        "Hello, you!",
        "Save (draft)",
        "{count} items",
        "Hello {name}, welcome.",
        "%s ago",
        "<b>save</b> it",
        "See https://example.org for more",
        "It is 5 o'clock",
        "Version 2.0 is here",
        "Größe",
        "保存",
        "是",
        "सहेजें",
        "Сохранить",
        "Done 🚀 now",
    ],
)
def test_words_are_for_people(value):
    assert len(read(json.dumps({"a": value}, ensure_ascii=False)).segments) == 1


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "3",
        "ok",
        "en-US",
        "btn-save.png",
        "#ff8800",
        "a1b2c3d4",
        "camelCase",
        "snake_case",
        "CONSTANT_NAME",
        "https://example.org/path?q=two+words",
        "support@example.org",
        "/usr/local/bin",
        "2027-01-05T10:00:00Z",
        "{name}",
        "{{ user.name }}",
        "%s: %d",
        "$1",
        "{width}px",
        "${HOME}/bin",
        "com.example.App",
        "<br>",
        "image/png",
    ],
)
def test_codes_are_not_for_people(value):
    assert read(json.dumps({"a": value})).segments == []


def test_pointers_choose_values():
    file = '{"pages": [{"id": "a b", "t": "c"}, {"id": "d e", "t": "F", "x": {"y": "z"}}]}'
    assert texts(read(file, keys=("/pages/*/t",))) == ["c", "F"]
    assert texts(read(file, keys=("/pages/1",))) == ["d e", "F", "z"]
    assert texts(read(file, keys=("/pages/1",), skipped_keys=("/*/*/id",))) == ["F", "z"]
    assert texts(read(file, skipped_keys=("/pages/*/id",))) == []
    assert texts(read('{"a/b": {"~": "x"}}', keys=("/a~1b/~0",))) == ["x"]


@pytest.mark.parametrize(
    ("option", "pointer", "message"),
    [
        ("keys", "title", "keys: 'title' is not a JSON pointer.*begins with '/'"),
        ("skipped_keys", "$.a", "skipped_keys: .* is not a JSON pointer"),
        ("keys", "/nothing", "keys: no string of the file is at '/nothing'"),
    ],
)
def test_pointers_that_choose_nothing_are_refused(option, pointer, message):
    with pytest.raises(DocumentError, match=message):
        read('{"title": "A text"}', **{option: (pointer,)})


def test_lines_of_json_are_read_one_by_one():
    file = '{"t": "First line"}\n\n{"t": "Second line"}\r\n["Third line"]\n'
    document = read(file)
    assert [s.path for s in document.segments] == ["/t", "line 2 /t", "line 3 /0"]
    assert same(document) == file


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "line 1, column 1: its end"),
        ('{"a": NaN}', "column 7"),
        ('{"a": 01}', "column 8"),
        ("[1,]", "column 4"),
        ('{"a" 1}', "column 6"),
        ('{"a": 1,}', "column 9"),
        ("[1}", "column 3"),
        ("[1", "its end"),
        ('["a', "column 2"),
        ('["\t"]', "column 2"),
        ('["\\x"]', "column 2"),
        ('["\\u12"]', "column 2"),
        ("[1] [2]", "column 5"),
        ("{'a': 1}", "column 2"),
        ("[1] // comment", "column 5"),
        ("\n\n  [tru]", "line 3, column 4"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(text, place):
    with pytest.raises(DocumentError, match=place):
        read(text)


def test_deep_nesting_is_refused():
    read("[" * 200 + "]" * 200)
    with pytest.raises(DocumentTooLargeError, match="200 levels"):
        read("[" * 201)


def test_tags_and_entities_in_values_are_kept():
    file = r'{"a": "Read the <a href=\"https://x.org/?a=1&amp;b=2\">terms</a> &amp; <b>more</b>."}'
    document = read(file)
    kinds = [p.kind for p in document.segments[0].content if isinstance(p, Code)]
    assert kinds == ["open", "close", "open", "close"]
    assert translate(document, str.upper) == (
        file.replace("Read the", "READ THE").replace("terms", "TERMS").replace("more", "MORE")
    )


def test_new_markup_in_a_value_with_tags_is_text():
    document = read('{"a": "A <b>bold</b> word"}')
    assert "&lt;script>" in translate(document, lambda text: text + "<script>")


def test_marks_of_markdown_are_kept():
    document = read(r'{"a": "See [the guide](https://x.org/a), **now** or `never --x`."}')
    codes = [piece.raw for piece in document.segments[0].content if isinstance(piece, Code)]
    assert codes == ["[", "](https://x.org/a)", "**", "**", "`never --x`"]


def test_texts_inside_an_icu_message_are_translated():
    file = '{"a": "{n, plural, =0 {No items} one {# item} other {# items}} are here."}'
    document = read(file)
    assert texts(document) == ["No items item items are here."]
    assert translate(document, str.upper) == (
        '{"a": "{n, plural, =0 {NO ITEMS} one {# ITEM} other {# ITEMS}} ARE HERE."}'
    )


def test_an_icu_message_that_is_not_clear_stays_whole():
    for message in ("{n, plural, one {Hi {name}} other {x y}}", "{n, plural, one {a b} other {"):
        assert read(json.dumps({"a": message})).segments == []


def test_new_text_in_an_icu_message_cannot_be_read_as_a_choice():
    document = read('{"a": "{n, plural, one {# item} other {# items}}"}')
    assert "other {#'{'x'}#'}" in translate(document, lambda _: "{x}#")


def test_references_and_placeholders_of_other_libraries_are_codes():
    document = read('{"a": "Go to $t(common.home) or %{place} now."}')
    codes = [piece.raw for piece in document.segments[0].content if isinstance(piece, Code)]
    assert codes == ["$t(common.home)", "%{place}"]


def test_types_of_arb_placeholders_stay():
    file = """{"@@locale": "en", "hi": "Hello {name}!", "@hi": {"description": "A greeting text",
      "placeholders": {"name": {"type": "String", "format": "compactCurrency"}}}}"""
    assert texts(read(file)) == ["Hello {name}!", "A greeting text"]


def test_halves_of_surrogate_pairs_stay_and_are_not_translated():
    file = r'{"a": "A text \ud800 here.", "b": "Two \udc00\ud800 more."}'
    document = read(file)
    assert texts(document) == ["A text  here.", "Two  more."]
    assert same(document) == file
    assert json.loads(translate(document, str.upper))["a"] == "A TEXT \ud800 HERE."


def test_a_translation_is_escaped():
    new = 'a"b\\c\n\x00\u2028\x7f/é🚀'
    assert json.loads(translate(read('{"a": "Some text", "b": "é"}'), lambda _: new))["a"] == new


def test_letters_stay_escaped_if_the_source_escaped_all():
    translated = translate(read(r'{"a": "Caf\u00e9 here"}'), lambda _: "காபி🚀")
    assert translated.isascii()
    assert json.loads(translated)["a"].startswith("காபி🚀")
    assert not translate(read('{"a": "Plain text"}'), lambda _: "காபி").isascii()


@pytest.mark.parametrize("raw", ["a", r"\"\\\/\b\f\n\r\t", r"\u0041\ud83d\ude80\ud800x", "é\\n"])
def test_escapes_are_resolved_as_the_standard_library_does(raw):
    found = unescape(raw)
    assert found.text == json.loads(f'"{raw}"')
    assert found.raw(0, len(found.text)) == raw
    assert json.loads(f'"{escape(found.text)}"') == found.text


def test_a_lost_code_is_an_error():
    document = read('{"a": "A <b>bold</b> word"}')
    with pytest.raises(BrokenDocumentError, match="/a does not have the inline codes"):
        document.write([TranslatedSegment((Text("x"),))])
    with pytest.raises(BrokenDocumentError):
        document.write([])


def test_long_strings_of_backslashes_are_scanned_once():
    text = '["' + "\\\\" * 200_000 + '"]'
    assert len(list(JsonScanner(text).strings())) == 1
    with pytest.raises(DocumentError):
        read(text[:-2])
