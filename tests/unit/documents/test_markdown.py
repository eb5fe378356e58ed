"""Markdown: what is translated, what stays, and how translations are written."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.documents.content import Code, Content, Text, plain_text
from nmt.documents.document import TranslatedSegment
from nmt.documents.errors import DocumentError, DocumentTooLargeError
from nmt.documents.formats.markdown.document import read_markdown
from nmt.documents.formats.markdown.reading import Reader
from nmt.documents.formats.markdown.writing import Writer
from tests.support.document_translators import (
    TO_TAMIL,
    Change,
    identity,
    replaced_by,
    texts,
    translate,
    upper,
)

_PARTS = r"""# |## |- |1. |> |*|**|_|`|[|]|](u)|](u "title")|![|][r]|
|

|
> |    |```|
[r]: u
|~~|\*|\|&amp;|<b>|</b>|<br>|<div>
|</div>
|| a | b |
|-|-|
|{{ x }}|$x$|:up:|[^1]|
[^1]: |---
|
===
|words |a.|- [ ] |  
|<!-- c -->|é|!"""
MARKS = st.sampled_from([*_PARTS.split("|"), "|", "\r\n", "---\ntitle: a b\n---\n", "+++\n"])
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def read(text: str) -> list[str]:
    return texts(read_markdown(text.encode(), TO_TAMIL).segments)


def translated(text: str, change: Change) -> str:
    return translate(read_markdown(text.encode(), TO_TAMIL), change).decode()


def said(*pieces: str) -> Change:
    """Return what replaces the texts of a segment, one by one."""

    def change(content: Content) -> Content:
        new = iter(pieces)
        return tuple(p if isinstance(p, Code) else Text(next(new)) for p in content)

    return change


def test_blocks_are_texts_and_marks_are_codes() -> None:
    text = "# A *red* door\n\n- one\n- [x] two\n\n1. three\n   > four\n\nSet\n===\n"
    assert read(text) == ["A [*]red[*] door", "one", "two", "three", "four", "Set"]


@pytest.mark.parametrize(
    "block",
    [
        "```sh\nwords here\n```",
        "    words here",
        "<!-- words here -->",
        "$$\nx = y\n$$",
        "{% include words.html %}",
        "[r]: http://x.org 'words here'",
        "| --- |",
        "***",
        "<div translate=no>\nwords\n</div>",
        "<pre>\nwords\n\nhere\n</pre>",
        "{: .words }",
    ],
)
def test_what_is_not_text_is_left_as_it_is(block: str) -> None:
    text = f"One.\n\n{block}\n\nTwo.\n"
    assert translated(text, upper) == f"ONE.\n\n{block}\n\nTWO.\n"


@pytest.mark.parametrize(
    "code",
    ["`a b`", "<http://x.org>", "$x = y$", "{{ name }}", ":rocket:", "[^1]", "<code>a b</code>"],
)
def test_what_is_not_text_in_a_sentence_is_one_code(code: str) -> None:
    text = f"Say {code} now.\n\n[^1]: Note\n"
    assert read(text)[0] == f"Say [{code}] now."
    assert translated(text, upper).startswith(f"SAY {code} NOW.")


def test_prices_are_not_formulas() -> None:
    assert read("It costs $5 or $10, not US$ 3 and $HOME/$PATH.") == [
        "It costs $5 or $10, not US$ 3 and $HOME/$PATH."
    ]


def test_texts_of_links_titles_and_images_are_translated_and_targets_stay() -> None:
    text = 'See [the *page*](u_a "Its title") and ![a door](d.png).\n'
    assert read(text) == [
        'See [[]the [*]page[*][](u_a "Its title")] and [![a door](d.png)].',
        "Its title",
        "a door",
    ]
    assert translated(text, upper) == ('SEE [THE *PAGE*](u_a "ITS TITLE") AND ![A DOOR](d.png).\n')


def test_a_link_whose_text_is_its_label_keeps_the_label() -> None:
    text = "The [door] is [red][] ![wall].\n\n[door]: d\n[red]: r\n[wall]: w\n"
    assert translated(text, identity) == text
    result = translated(
        text,
        lambda content: tuple(
            Text("x" + p.text) if isinstance(p, Text) and p.text.isalpha() else p for p in content
        ),
    )
    assert result.startswith("The [xdoor][door] is [xred][red] ![xwall][wall].")


def test_only_texts_of_the_front_matter_are_translated() -> None:
    text = "---\ntitle: Red doors\nslug: red-doors\ndescription: 'It''s red'\n---\n\nText\n"
    assert read(text) == ["Red doors", "It's red", "Text"]
    assert translated(text, replaced_by("a: b's")) == (
        "---\ntitle: \"a: b's\"\nslug: red-doors\ndescription: 'a: b''s'\n---\n\na: b's\n"
    )
    toml = '+++\ntitle = "Red \\"door\\""\nweight = 1\n+++\n'
    assert translated(toml, upper) == toml.replace("Red", "RED").replace("door", "DOOR")


def test_html_in_markdown_is_read_as_html() -> None:
    text = '<details>\n<summary>More <b>doors</b></summary>\n\nA <a title="T">b</a>\n\n</details>\n'
    assert read(text) == ["More [<b>]doors[</b>]", 'A [<a title="T">]b[</a>]', "T"]
    assert translated("<p>\nx\n</p>\n", replaced_by("a\n\nb & <i>")) == (
        "<p>\na\nb &amp; &lt;i&gt;\n</p>\n"
    )


def test_line_breaks_keep_the_marks_of_quotations_after_them() -> None:
    text = "> One\n> two\n> three.\n\n- four\n  five\n"
    assert read(text) == ["One\ntwo\nthree.", "four\n  five"]
    assert translated(text, replaced_by("a\nb c")) == "> a\n> b c\n\n- a\n  b c\n"
    assert translated("One.\n", replaced_by("a\nb")) == "a b\n"


def test_hard_breaks_are_codes() -> None:
    assert read("One  \ntwo\\\nthree") == ["One[  \n]two[\\\n]three"]


def test_escapes_of_the_source_come_back() -> None:
    text = "\\*Not\\* *it*, 1\\. C:\\\\temp & R&D &copy;.\n"
    assert read(text) == ["*Not* [*]it[*], 1. C:\\temp & R&D ©."]
    assert translated(text, upper) == "\\*NOT\\* *IT*, 1\\. C:\\\\TEMP & R&D &copy;.\n"


def test_signs_stay_where_they_are_not_markup() -> None:
    assert translated("x\n", replaced_by("snake_case, 2 * 3 - 4 < 5 #6 [a] b!")) == (
        "snake_case, 2 * 3 - 4 < 5 #6 [a] b!\n"
    )


@pytest.mark.parametrize(
    ("new", "written"),
    [
        ("# x", "\\# x"),
        ("- x", "\\- x"),
        ("1. x", "1\\. x"),
        ("> x", "\\> x"),
        ("    x", "x"),
        ("*x*", "\\*x\\*"),
        ("`x`", "\\`x\\`"),
        ("[x](y)", "\\[x\\](y)"),
        ("<b>x", "\\<b\\>x"),
        ("&lt; x", "&amp;lt; x"),
        ("---", "\\---"),
        ("```", "\\`\\`\\`"),
        ("{{ x }}", "&#123;{ x }}"),
        ("[x]: y", "\\[x\\]\\: y"),
    ],
)
def test_new_text_cannot_become_markup(new: str, written: str) -> None:
    result = translated("word\n", replaced_by(new))
    assert texts([*read_markdown(result.encode(), TO_TAMIL).segments]) == [new.strip()]
    assert result.replace("\\:", ":") == written.replace("\\:", ":") + "\n"


def test_cells_have_no_bars_and_no_line_breaks() -> None:
    text = "| a \\| b | `c` |\n|-|-|\n| d | e |\n"
    assert read(text) == ["a | b", "d", "e"]
    assert translated("| a |\n|-|\n", replaced_by("x | y\nz")) == "| x \\| y z |\n|-|\n"


def test_punctuation_beside_a_letter_is_put_outside_of_emphasis() -> None:
    assert translated("**Hello.** More", said("வணக்கம்.", "பின்")) == "**வணக்கம்**.பின்"


def test_a_letter_beside_emphasis_may_be_written_as_a_number() -> None:
    result = translated("a _b_ c", said("சொல் ", "இது", "இல்"))
    assert result == "சொல் _இது_&#2951;ல்"
    assert read(result) == ["சொல் [_]இது[_]இல்"]


def test_carriage_returns_and_a_missing_last_line_break_come_back() -> None:
    text = "One\r\ntwo.\r\n\r\n> a  \r\n> b\r\n\r\nEnd"
    assert translated(text, identity) == text
    assert translated(text, upper) == text.upper()


def test_a_table_that_the_parser_gives_up_is_an_error() -> None:
    text = "|a" * 2000 + "\n" + "|-" * 2000 + "\n" + "|b\n" * 200
    with pytest.raises(DocumentError, match="too many empty cells"):
        read_markdown(text.encode(), TO_TAMIL)


def test_every_byte_of_a_text_is_part_of_its_content() -> None:
    text = "> A \\* [b](c\n> 'd') ![e](f)  \n> `g` &amp; <i>h</i> {{ i }} அ\n"
    reader = Reader(text).read()
    for place in reader.places:
        raws = "".join(piece.raw or "" for piece in place.content)
        assert raws == reader.data[place.start : place.end].decode()


@given(st.lists(MARKS | ANY_TEXT, max_size=14).map("".join))
def test_any_document_comes_back_byte_for_byte(text: str) -> None:
    try:
        document = read_markdown(text.encode(), TO_TAMIL)
    except DocumentError:
        return
    assert translate(document, identity) == text.encode()
    everything = [TranslatedSegment(tuple(segment.content)) for segment in document.segments]
    assert document.write(everything) == text.encode()


# The fake translator drops every text but the first, so these translations are harder than any.
@settings(derandomize=True)
@given(st.lists(MARKS, max_size=14).map("".join), ANY_TEXT.map("a{}b".format))
def test_any_translation_is_read_back(text: str, translation: str) -> None:
    try:
        document = read_markdown(text.encode(), TO_TAMIL)
    except DocumentError:
        return
    translate(document, replaced_by(translation))


def test_a_translation_that_is_not_read_back_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    # A fault of the writer, for one text only.
    def write(writer: Writer, codes: Mapping[Code, str]) -> str:
        text = plain_text(writer._translated)
        return "- x" if text == "BAD" else text

    monkeypatch.setattr(Writer, "write", write)
    assert translated("good\n\nbad\n\nfine\n", upper) == "GOOD\n\nbad\n\nFINE\n"


@pytest.mark.parametrize("sign", ["[", "*a _b "])
def test_a_text_of_signs_that_might_be_markup_is_refused_early(sign: str) -> None:
    with pytest.raises(DocumentTooLargeError, match="max_pieces"):
        read(sign * 60_000)
