"""XLIFF files: what is translated, what stays, and how a target is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.documents.document import SegmentWarning, TranslatedSegment
from nmt.documents.errors import (
    BrokenDocumentError,
    DocumentError,
    DocumentTooLargeError,
    UnknownFormatError,
)
from nmt.documents.formats.xliff.reader import read_xliff
from tests.support.document_translators import (
    TO_TAMIL,
    brackets,
    identity,
    replaced_by,
    translate,
    upper,
)
from tests.support.xliff import file_1, file_2, segments, target_text, unit_1, unit_2, written

NEW = ' state="translated" state-qualifier="leveraged-mt"'


def test_a_target_is_written_behind_the_source_with_its_indentation():
    data = unit_1("\n  <source>Good day.</source>\n  <note>A note.</note>\n")
    assert written(data) == data.decode().replace(
        "</source>", f"</source>\n  <target{NEW}>GOOD DAY.</target>"
    )


def test_nothing_else_of_the_file_changes():
    data = (
        b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\r\n<!-- by a tool -->\r\n"
        + unit_1("<source >Good day.</source ><x:more a = 'b'/>").replace(b"><body>", b" ><body >")
        + b"\r\n<!-- end -->"
    )
    result = translate(read_xliff(data, TO_TAMIL), upper)
    assert result == data.replace(
        b"</source >", b"</source ><target" + NEW.encode() + b">GOOD DAY.</target>"
    )


def test_an_empty_target_is_filled_and_keeps_its_attributes():
    assert f'<target x:a="1"{NEW}>DAY</target>' in written(
        unit_1('<source>Day</source><target x:a="1"></target>')
    )
    assert f'<target x:a="1"{NEW}>DAY</target>' in written(
        unit_1('<source>Day</source><target x:a="1"/>')
    )


@pytest.mark.parametrize("state", ["new", "needs-translation"])
def test_a_target_that_waits_for_its_translation_is_replaced(state: str):
    data = unit_1(f'<source>Day</source><target state="{state}">Day</target>')
    assert f"<target{NEW}>DAY</target>" in written(data)


@pytest.mark.parametrize(
    "target",
    [
        "<target>நாள்</target>",
        '<target state="final">நாள்</target>',
        '<target state="needs-review-translation">நாள்</target>',
    ],
)
def test_a_finished_target_stays(target: str):
    data = unit_1(f"<source>Day</source>{target}")
    assert segments(data) == []
    assert written(data) == data.decode()


def test_finished_targets_are_made_anew_if_asked_and_are_no_longer_approved():
    data = unit_1('<source>Day</source><target state="final">நாள்</target>', ' approved="yes"')
    result = written(data, overwrite=True)
    assert f"<target{NEW}>DAY</target>" in result
    assert 'approved="no"' in result


def test_an_approved_target_stays_whatever_its_state_says():
    data = unit_1('<source>Day</source><target state="new">நாள்</target>', ' approved="yes"')
    assert written(data) == data.decode()


def test_what_is_not_a_source_of_the_unit_is_not_translated():
    data = file_1(
        '<trans-unit id="1"><source>Day</source>'
        "<alt-trans><source>Old</source><target>Alt</target></alt-trans><note>A note</note>"
        "<x:source>Mine</x:source></trans-unit>"
        '<bin-unit id="2"><bin-source/><note>More</note></bin-unit>'
    )
    assert segments(data) == ["Day"]


def test_translate_no_is_inherited_until_it_is_taken_back():
    data = file_1(
        '<group translate="no"><trans-unit id="1"><source>One</source></trans-unit>'
        '<trans-unit id="2" translate="yes"><source>Two</source></trans-unit></group>'
        '<trans-unit id="3"><source>Three</source></trans-unit>'
    )
    assert segments(data) == ["Two", "Three"]


def test_each_segment_of_a_unit_is_translated_and_stays_one():
    data = unit_1(
        "<source>One. Two.</source><seg-source>"
        '<g id="1"><mrk mtype="seg" mid="0">One.</mrk> <mrk mtype="seg" mid="1">Two.</mrk></g>'
        "</seg-source>"
    )
    assert segments(data) == ["One.", "Two."]
    assert (
        f'</seg-source><target{NEW}><g id="1"><mrk mtype="seg" mid="0">ONE.</mrk> '
        '<mrk mtype="seg" mid="1">TWO.</mrk></g></target>'
    ) in written(data)


def test_only_the_empty_segments_of_a_target_are_filled():
    data = unit_1(
        '<source>One. Two.</source><seg-source><mrk mtype="seg" mid="0">One.</mrk> '
        '<mrk mtype="seg" mid="1">Two.</mrk></seg-source>'
        '<target><mrk mtype="seg" mid="0">ஒன்று.</mrk> <mrk mtype="seg" mid="1"/></target>'
    )
    assert (
        '<mrk mtype="seg" mid="0">ஒன்று.</mrk> <mrk mtype="seg" mid="1">TWO.</mrk></target>'
    ) in written(data)


def test_line_breaks_are_white_space_unless_the_file_preserves_it():
    for attributes, is_wrapped in (("", True), (' xml:space="preserve"', False)):
        data = unit_1("<source>One\n two</source>", attributes)
        assert read_xliff(data, TO_TAMIL).segments[0].is_wrapped is is_wrapped
    data = unit_1('<source xml:space="preserve">One\n two</source>')
    assert not read_xliff(data, TO_TAMIL).segments[0].is_wrapped
    assert f'<target{NEW} xml:space="preserve">ONE\n TWO</target>' in written(data)


def test_new_text_has_the_line_ends_of_the_file():
    data = unit_1("\r\n<source>One\r\ntwo</source>\r\n")
    assert "\r\n<target" in written(data)
    assert ">a\r\nb</target>" in written(data, replaced_by("a\nb"))


def test_segments_of_version_2_get_their_state():
    data = unit_2('<segment state="initial" subState="my:x"><source>Day</source></segment>')
    assert '<segment state="translated"><source>Day</source><target>DAY</target>' in written(data)


@pytest.mark.parametrize("state", ["translated", "reviewed", "final"])
def test_finished_segments_of_version_2_stay(state: str):
    data = unit_2(f'<segment state="{state}"><source>A b</source><target>x</target></segment>')
    assert written(data) == data.decode()


def test_notes_matches_and_what_is_between_segments_stay():
    data = file_2(
        '<unit id="u" xmlns:m="urn:oasis:names:tc:xliff:matches:2.0"><notes><note>A</note></notes>'
        "<m:matches><m:match><source>Old</source><target>X</target></m:match></m:matches>"
        "<segment><source>One.</source></segment><ignorable><source> and </source></ignorable>"
        "<segment><source>Two.</source></segment></unit>"
    )
    assert segments(data) == ["One.", "Two."]


def test_a_doubtful_translation_is_marked_for_review():
    for data, expected in (
        (unit_1("<source>Day</source>"), '<target state="needs-review-translation"'),
        (
            unit_2("<segment><source>Day</source></segment>"),
            '<segment state="initial" subState="nmt:needs-review">',
        ),
    ):
        document = read_xliff(data, TO_TAMIL)
        content = document.segments[0].content
        warning = SegmentWarning("length", document.segments[0].path, "Day")
        result = document.write([TranslatedSegment(content, warnings=(warning,))])
        assert expected in result.decode()


def test_prefixes_of_the_file_are_those_of_its_targets():
    data = unit_2("<segment><source>Day</source></segment>")
    data = data.replace(b"<", b"<q:").replace(b"<q:/", b"</q:").replace(b"xmlns=", b"xmlns:q=")
    assert "<q:source>Day</q:source><q:target>DAY</q:target>" in written(data)


def test_the_target_language_is_set_if_it_is_missing_or_another_one():
    unit = '<trans-unit id="1"><source>Day</source></trans-unit>'
    assert 'datatype="html" target-language="ta">' in written(file_1(unit, "").replace(b" >", b">"))
    assert 'target-language="ta"' in written(file_1(unit, 'target-language="fr"'))
    assert 'target-language="ta-IN"' in written(file_1(unit, 'target-language="ta-IN"'))
    segment = '<unit id="u"><segment><source>Day</source></segment></unit>'
    assert 'srcLang="en" trgLang="zh-Hant">' in written(
        file_2(segment, "").replace(b" >", b">"), target_language="zho_Hant"
    )


def test_a_file_with_nothing_to_translate_comes_back_as_it_is():
    data = file_1('<trans-unit id="1"><source/><target/></trans-unit>', "")
    assert translate(read_xliff(data, TO_TAMIL), identity) == data


def test_the_encoding_of_the_file_is_kept_and_lacking_characters_are_references():
    declaration = '<?xml version="1.0" encoding="ISO-8859-1"?>'
    data = (declaration + unit_1("<source>Café</source>").decode()).encode("latin-1")
    result = translate(read_xliff(data, TO_TAMIL), brackets)
    assert ">&#10214;Café&#10215;</target>" in result.decode("latin-1")
    data = unit_1("<source>Café</source>").decode().encode("utf-16")
    result = translate(read_xliff(data, TO_TAMIL), brackets)
    assert ">⟦Café⟧</target>" in result.decode("utf-16")
    data = (declaration + unit_1("<source><![CDATA[Café]]></source>").decode()).encode("latin-1")
    result = translate(read_xliff(data, TO_TAMIL), brackets).decode("latin-1")
    assert target_text(result) == "⟦Café⟧"


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"<a/>", UnknownFormatError, "its root element is 'a'"),
        (b'<xliff version="9"/>', DocumentError, "version of the XLIFF file is '9'"),
        (unit_1("<source>a</source>")[:-9], DocumentError, "not valid XML: .*line 1"),
        (unit_1("<source>a&nbsp;b</source>"), DocumentError, "undefined entity"),
        (b'<!DOCTYPE x [<!ENTITY e "ha">]>' + unit_1(""), DocumentError, "declares an entity"),
        (
            b'<!DOCTYPE x [<!ENTITY % e SYSTEM "http://127.0.0.1/">%e;]>' + unit_1(""),
            DocumentError,
            "declares an entity",
        ),
        (
            unit_1(f"<source>{'<g>' * 300}{'</g>' * 300}</source>"),
            DocumentTooLargeError,
            "more than 200 levels",
        ),
    ],
)
def test_a_file_that_is_not_right_is_refused(data: bytes, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        read_xliff(data, TO_TAMIL)


def test_an_external_document_type_is_not_read_and_its_entities_are_codes():
    data = b'<!DOCTYPE xliff SYSTEM "http://127.0.0.1:9/x.dtd">' + unit_1(
        "<source>A&nbsp;b</source>"
    )
    assert segments(data) == ["A[&nbsp;]b"]
    assert ">A&nbsp;B</target>" in written(data)


def test_a_translation_that_loses_or_repeats_a_code_is_refused():
    document = read_xliff(unit_1('<source>A <x id="1"/> b</source>'), TO_TAMIL)
    content = document.segments[0].content
    for changed in (content[:1], (*content, content[1])):
        with pytest.raises(BrokenDocumentError, match="inline codes"):
            document.write([TranslatedSegment(changed)])


def test_a_translation_that_breaks_the_nesting_is_refused():
    document = read_xliff(unit_1('<source>A <g id="1">b</g></source>'), TO_TAMIL)
    content = document.segments[0].content
    with pytest.raises(BrokenDocumentError, match="The translated file is broken"):
        document.write([TranslatedSegment(content[::-1])])


@given(st.text(max_size=30))
def test_any_translation_is_read_back_as_one_text(text: str):
    allowed = "".join(c for c in text if c.isprintable() or c in "\t\n")
    for source in ("Day", "<![CDATA[Day]]>", "<g id='1'>Day</g>"):
        result = written(unit_1(f"<source>{source}</source>"), replaced_by(allowed))
        assert target_text(result) == allowed


@given(
    st.lists(
        st.sampled_from(
            [
                "a ",
                "&amp;",
                "<x id='1'/>",
                "<g id='2'>",
                "</g>",
                "<![CDATA[<b>]]>",
                "&lt;i&gt;",
                "{n, plural, other {",
                "}}",
                "<ph id='3'>",
                "</ph>",
                "<mrk mtype='seg' mid='1'>",
                "</mrk>",
            ]
        ),
        max_size=12,
    )
)
def test_any_content_is_refused_or_comes_back_unchanged(parts: list[str]):
    inner = "".join(parts)
    data = unit_1(f"<source>{inner}</source>")
    try:
        document = read_xliff(data, TO_TAMIL)
    except DocumentError:
        return
    result = translate(document, identity).decode()
    expected = f"<target{NEW}>{inner}</target>" if document.segments else ""
    assert result.count("<target") == bool(document.segments)
    if "CDATA" not in inner:
        assert result == data.decode().replace("</source>", f"</source>{expected}", 1)
