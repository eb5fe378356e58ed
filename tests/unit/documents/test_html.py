"""HTML: what is translated, what stays, and how translations are written."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.documents.content import Code, Content, Text, plain_text
from nmt.documents.document import ReadOptions, TranslatedSegment
from nmt.documents.errors import BrokenDocumentError, DocumentError, DocumentTooLargeError
from nmt.documents.formats.html.document import read_html
from nmt.documents.formats.html.writing import Writer
from tests.support.document_translators import (
    TO_TAMIL,
    Change,
    identity,
    replaced_by,
    texts,
    translate,
    upper,
)

TO_ARABIC = ReadOptions(source_language="eng_Latn", target_language="arb_Arab")
_PARTS = """<p>|</p>|<b>|</b>|<i>|</i>|<br>|<!-- c -->|<img alt='a b'>|&amp;|&nbsp|<|>|&|<code>
|</code>|<li>|{{ x }}|<a href=x title=y>|</a>|<textarea>|</textarea>|<title>|</title>|<script>
|</script>|<noscript>|</noscript>|<p translate=no>|\r|<a href="|<?php x ?>|]]>|words |{%"""
MARKUP = st.sampled_from(_PARTS.split("|"))
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def read(text: str) -> list[str]:
    return texts(read_html(text.encode(), TO_TAMIL).segments)


def translated(text: str, change: Change, options: ReadOptions = TO_TAMIL) -> str:
    return translate(read_html(text.encode(), options), change).decode()


def test_a_block_is_a_text_and_inline_elements_are_codes() -> None:
    assert read("<div>A <b>red</b> <a href=x>door</a>.<p>Then\nnothing.</div>") == [
        "A [<b>]red[</b>] [<a href=x>]door[</a>].",
        "Then\nnothing.",
    ]


def test_a_pair_of_tags_shares_a_number_and_links_have_an_exact_place() -> None:
    (segment,) = read_html(b"<p>A <a href=x>big <b>door</b></a></p>", TO_TAMIL).segments
    codes = [piece for piece in segment.content if isinstance(piece, Code)]
    assert [(c.kind, c.pair, c.is_exact) for c in codes] == [
        ("open", 2, True),
        ("open", 1, False),
        ("close", 1, False),
        ("close", 2, True),
    ]


@pytest.mark.parametrize(
    "text",
    ["a <b>b <i>c</b> d</i> e", "a </b> b", "a <b> b"],
    ids=["overlap", "stray end", "no end"],
)
def test_tags_that_do_not_nest_have_no_pair_and_keep_their_order(text: str) -> None:
    (segment,) = read_html(text.encode(), TO_TAMIL).segments
    assert all(p.pair is None for p in segment.content if isinstance(p, Code))
    assert translated(text, upper).lower() == text


@pytest.mark.parametrize(
    "element",
    [
        "<script>if (a < b) { go('</p>') }</script>",
        "<style>p > b {}</style>",
        "<pre>two  words</pre>",
        "<p translate=no>two words</p>",
        "<div class='a notranslate'>two <div>words</div></div>",
        "<template><p>two words</p></template>",
        "<!-- two words -->",
        "<!--[if mso]><p>two words</p><![endif]-->",
        "<iframe title='two words'></iframe>",
        "<svg><text>two words</text></svg>",
    ],
)
def test_what_is_not_text_is_left_as_it_is(element: str) -> None:
    page = f"<p>Before.</p>{element}<p>After.</p>"
    assert translated(page, upper) == f"<p>BEFORE.</p>{element}<p>AFTER.</p>"


def test_code_in_a_sentence_is_read_as_a_word() -> None:
    (segment,) = read_html(b"Run <code>a <b>b</b></code> or <kbd>X</kbd>.", TO_TAMIL).segments
    codes = [(p.raw, p.kind) for p in segment.content if isinstance(p, Code)]
    assert codes == [("<code>a <b>b</b></code>", "word"), ("<kbd>X</kbd>", "word")]


def test_an_element_without_an_end_tag_ends_where_html_says() -> None:
    assert read("<p translate=no>No.<p>Yes.") == ["Yes."]
    assert read("<ul><li translate=no>No.<ul><li>No.</ul><li>Yes.</ul>") == ["Yes."]
    assert read("<table><tr><td class=notranslate>No.<td>Yes.</table>") == ["Yes."]


def test_attributes_that_people_read_are_texts() -> None:
    page = (
        '<meta name=description content="A page."><img src=a.png alt="A door">'
        "<input type=submit value=Send placeholder='Your name'><input type=text value=\"code\">"
        '<link title="Style"><a title="More" href=x>here</a><optgroup label="All"><div data-x="No">'
    )
    assert read(page) == [
        "A page.",
        "A door",
        "Send",
        "Your name",
        '[<a title="More" href=x>]here[</a>]',
        "More",
        "All",
    ]
    result = translated(page, upper)
    for part in ('content="A PAGE."', 'alt="A DOOR"', "value=SEND", "placeholder='YOUR NAME'"):
        assert part in result
    for part in ('title="MORE"', 'label="ALL"', 'value="code"', 'title="Style"', 'data-x="No"'):
        assert part in result


def test_the_sign_around_a_value_is_escaped_and_a_bare_value_gets_quotes() -> None:
    assert translated("<img alt='x'>", replaced_by('it\'s "x"')) == "<img alt='it&#39;s \"x\"'>"
    assert translated("<img alt=x>", replaced_by('two "x"')) == '<img alt="two &quot;x&quot;">'


def test_entities_are_read_and_the_translation_takes_them_over() -> None:
    assert read("<p>5&nbsp;m isn&rsquo;t &lt; 3 R&D &no;") == ["5\xa0m isn’t < 3 R&D &no;"]
    assert translated("<p>5&nbsp;m isn&rsquo;t 3", upper) == "<p>5&nbsp;M ISN&rsquo;T 3"


def test_new_text_cannot_become_markup() -> None:
    result = translated("<p>x</p>", replaced_by("a <b>b</b> &amp; {{ c }} {% d %}"))
    assert result == ("<p>a &lt;b&gt;b&lt;/b&gt; &amp;amp; &#123;{ c }} &#123;% d %}</p>")


def test_the_language_and_the_direction_of_a_page_are_set() -> None:
    page = "<!DOCTYPE html><html lang='en' class=a><p>x"
    assert translated(page, identity).startswith("<!DOCTYPE html><html lang='ta' class=a>")
    assert translated("<html><p>x", identity, TO_ARABIC) == '<html lang="ar" dir="rtl"><p>x'
    assert translated('<html dir="rtl"><p>x', identity) == '<html lang="ta" dir="ltr"><p>x'
    assert translated('<html lang="{{ l }}"><p>x', identity) == '<html lang="{{ l }}"><p>x'
    assert translated("<p>x", identity, TO_ARABIC) == "<p>x"


def test_template_tags_are_codes_even_where_they_look_like_markup() -> None:
    page = (
        '<a href="{{ url("x") }}" title="{{ t }} now">{{ a < b }} is {% if x <b %}it{% endif %}</a>'
    )
    assert read(page) == [
        '[<a href="{{ url("x") }}" title="{{ t }} now">][{{ a < b }}] is [{% if x <b %}]it'
        "[{% endif %}][</a>]",
        "[{{ t }}] now",
    ]
    assert translated(page, identity) == page
    assert "{{ t }} NOW" in translated(page, upper)


def test_text_inside_noscript_and_textarea_is_translated() -> None:
    page = "<noscript><p>Turn it <b>on</b>.</p></noscript><textarea>Write\n<b>here</b></textarea>"
    document = read_html(page.encode(), TO_TAMIL)
    assert texts(document.segments) == ["Turn it [<b>]on[</b>].", "Write\n[<b>]here[</b>]"]
    assert [segment.is_wrapped for segment in document.segments] == [True, False]


def test_carriage_returns_and_an_unfinished_tag_come_back() -> None:
    page = '<p\r\nclass=a>One\r\ntwo\rthree</p>\r\n<a href="x'
    assert translated(page, identity) == page
    assert translated(page, replaced_by("x")) == '<p\r\nclass=a>x</p>\r\n<a href="x'


def test_the_declared_encoding_is_used_and_other_characters_become_references() -> None:
    page = '<meta charset="iso-8859-1"><p>café “x”</p>'.encode("cp1252")
    document = read_html(page, TO_TAMIL)
    assert texts(document.segments) == ["café “x”"]
    assert translate(document, identity) == page
    assert translate(document, replaced_by("é அ")).endswith(b"<p>\xe9 &#2949;</p>")


def test_bytes_that_are_not_in_the_declared_encoding_are_an_error() -> None:
    with pytest.raises(DocumentError, match="utf-8"):
        read_html(b'<meta charset="utf-8"><p>caf\xe9</p>', TO_TAMIL)


def test_codes_in_another_order_are_written_so() -> None:
    document = read_html(b'<p>A <b>b</b> and <a title="T">c</a>.</p>', TO_TAMIL)
    content = document.segments[0].content
    link = content[5:8]
    turned: Content = (*link, Text(" x "), *content[1:4], Text("."))
    new = [TranslatedSegment(turned), TranslatedSegment((Text("U"),))]
    assert document.write(new) == b'<p><a title="U">c</a> x <b>b</b>.</p>'


def test_a_lost_code_is_noticed() -> None:
    document = read_html(b"<p>A <b>b</b> c.</p>", TO_TAMIL)
    content = tuple(p for p in document.segments[0].content if not isinstance(p, Code))
    with pytest.raises(BrokenDocumentError, match="line 1"):
        document.write([TranslatedSegment((*content, Text("x")))])


@given(st.lists(MARKUP | ANY_TEXT, max_size=12).map("".join))
def test_any_page_comes_back_byte_for_byte(page: str) -> None:
    data = page.encode()
    try:
        document = read_html(data, TO_TAMIL)
    except DocumentError:
        return
    if b"<html" not in data.lower():
        assert translate(document, identity) == data


@settings(derandomize=True)
@given(st.lists(MARKUP, max_size=12).map("".join), ANY_TEXT)
def test_any_translation_is_read_back(page: str, translation: str) -> None:
    document = read_html(page.encode(), TO_TAMIL)
    translate(document, replaced_by(translation))


def test_a_code_that_is_not_of_the_source_is_noticed() -> None:
    document = read_html(b"<p>A</p><p>B</p>", TO_TAMIL)
    broken: Content = (Code("<p>", "point"), Text("x"))
    with pytest.raises(BrokenDocumentError, match="line 1"):
        document.write([TranslatedSegment(broken), TranslatedSegment((Text("y"),))])


def test_a_template_value_at_the_end_of_an_address_is_part_of_it() -> None:
    assert read("<p>Open https://x.org/?t={{ token }}.</p>") == [
        "Open https://x.org/?t={{ token }}."
    ]
    assert read("<p>Open https://x.org/{{ a }}/b or {{ c }}</p>") == [
        "Open https://x.org/[{{ a }}]/b or [{{ c }}]"
    ]


def test_a_translation_that_is_not_read_back_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    # A fault of the writer, for one text only.
    def write(writer: Writer, tags: Mapping[Code, str]) -> str:
        text = plain_text(writer._translated)
        return "<li>" if text == "BAD" else text

    monkeypatch.setattr(Writer, "write", write)
    assert translated("<p>good</p><p>bad</p><p>fine</p>", upper) == (
        "<p>GOOD</p><p>bad</p><p>FINE</p>"
    )


def test_a_text_of_too_many_escapes_is_refused() -> None:
    with pytest.raises(DocumentTooLargeError, match="max_pieces"):
        read("<p>" + "&amp;" * 50_001)
