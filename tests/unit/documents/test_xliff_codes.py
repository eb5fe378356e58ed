"""Inline codes of XLIFF: what is one, what is a pair, and how text around them is written."""

import pytest

from nmt.documents.content import Text
from nmt.documents.formats.xliff.reader import read_xliff
from tests.support.document_translators import (
    TO_TAMIL,
    replaced_by,
)
from tests.support.xliff import segments, unit_1, unit_2, written


@pytest.mark.parametrize(
    "code",
    [
        '<x id="1"/>',
        '<ph id="1">{name}</ph>',
        '<bpt id="1">&lt;b&gt;</bpt>',
        '<it id="1" pos="open">&lt;i&gt;</it>',
        '<mrk mtype="protected">Blue <g id="2">River</g></mrk>',
        "<!-- note -->",
    ],
)
def test_a_code_is_kept_whole(code: str):
    data = unit_1(f"<source>Open {code} now.</source>")
    assert segments(data) == [f"Open [{code}] now."]
    assert f">OPEN {code} NOW.</target>" in written(data)


def kinds(data: bytes) -> list[tuple[str, int | None]]:
    content = read_xliff(data, TO_TAMIL).segments[0].content
    return [(piece.kind, piece.pair) for piece in content if not isinstance(piece, Text)]


@pytest.mark.parametrize(
    "inner",
    [
        'A <g id="1">b</g>',
        'A <bx id="1" rid="7"/>b<ex id="2" rid="7"/>',
        'A <bpt id="1">(</bpt>b<ept id="1">)</ept>',
        'A <x id="START_BOLD_TEXT"/>b<x id="CLOSE_BOLD_TEXT"/>',
        'A <x id="START_LINK_1"/>b<x id="CLOSE_LINK"/>',
        'A <mrk mtype="term">b</mrk>',
        "A &lt;b&gt;b&lt;/b&gt;",
    ],
)
def test_codes_around_text_are_a_pair(inner: str):
    assert kinds(unit_1(f"<source>{inner}</source>")) == [("open", 1), ("close", 1)]


@pytest.mark.parametrize(
    "inner",
    [
        'A <pc id="1">b</pc>',
        'A <sc id="1"/>b<ec startRef="1"/>',
        'A <sm id="m1" type="term"/>b<em startRef="m1"/>',
        'A <mrk id="m1" type="term">b</mrk>',
    ],
)
def test_codes_of_version_2_around_text_are_a_pair(inner: str):
    data = unit_2(f"<segment><source>{inner}</source></segment>")
    assert kinds(data) == [("open", 1), ("close", 1)]


def test_codes_that_overlap_or_are_alone_have_no_pair():
    overlapping = '<bx id="1"/>a<bx id="2"/>b<ex id="1"/>c<ex id="2"/><bx id="3"/>d'
    assert kinds(unit_1(f"<source>{overlapping}</source>")) == [
        ("open", None),
        ("open", None),
        ("close", None),
        ("close", None),
        ("open", None),
    ]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ('<x id="1" ctype="lb"/>', "break"),
        ('<x id="LINE_BREAK" equiv-text="&lt;br/>"/>', "break"),
        ('<ph id="1">&lt;br/&gt;</ph>', "break"),
        ('<ph id="1">&lt;wbr/&gt;</ph>', "point"),
        ('<ph id="1">&lt;img src="a"/&gt;</ph>', "word"),
        ('<ph id="1">%s</ph>', "word"),
        ('<x id="INTERPOLATION" equiv-text="{{ n }}"/>', "word"),
    ],
)
def test_a_placeholder_is_read_as_what_it_stands_for(code: str, kind: str):
    assert kinds(unit_1(f"<source>A {code} b</source>")) == [(kind, None)]


def test_a_placeholder_of_version_2_is_looked_up_in_the_original_data():
    data = unit_2(
        '<originalData><data id="d">&lt;br/></data></originalData>'
        '<segment><source>A<ph id="1" dataRef="d"/>b</source></segment>'
    )
    assert kinds(data) == [("break", None)]


def test_text_inside_a_code_is_a_text_of_its_own():
    data = unit_1(
        '<source>See <ph id="1">&lt;img alt="<sub>A <g id="2">red</g> house</sub>"></ph>.</source>'
    )
    result = written(data)
    assert segments(data)[1] == 'A [<g id="2">]red[</g>] house'
    assert '>SEE <ph id="1">&lt;img alt="<sub>A <g id="2">RED</g> HOUSE</sub>"></ph>.<' in result


def test_text_between_codes_that_protect_it_stays():
    data = unit_2(
        '<segment><source>The <sm id="m" translate="no"/>Flow Sort<em startRef="m"/> tool and '
        '<mrk id="n" translate="no">Blue River</mrk>.</source></segment>'
    )
    assert '<target>THE <sm id="m" translate="no"/>Flow Sort<em startRef="m"/> TOOL' in written(
        data
    )
    assert 'AND <mrk id="n" translate="no">Blue River</mrk>.</target>' in written(data)


def test_new_text_is_escaped_and_old_references_stay():
    data = unit_1("<source>Say &quot;a&#160;b&quot; now</source>")
    assert ">SAY &quot;A&#160;B&quot; NOW</target>" in written(data)
    assert ">&lt;/g&gt;&amp;&quot; \t</target>" in written(data, replaced_by('</g>&" \t\x08'))


def test_tags_that_are_text_are_codes():
    data = unit_1("<source>Press &lt;b&gt;OK&lt;/b&gt; &amp;amp; &lt;wait&gt;</source>")
    assert ">PRESS &lt;b&gt;OK&lt;/b&gt; &amp;amp; &lt;wait&gt;</target>" in written(data)


def test_a_cdata_section_stays_one():
    data = unit_1("<source>\n <![CDATA[Press <b>OK</b> & go]]> </source>")
    assert ">\n <![CDATA[PRESS <b>OK</b> & GO]]> </target>" in written(data)
    assert "<![CDATA[<b>]]]]><![CDATA[>&lt;i></b>]]> </target>" in written(
        unit_1("<source><![CDATA[<b>word</b>]]> </source>"), replaced_by("]]><i>")
    )


def test_tags_in_cdata_sections_between_text_are_codes():
    data = unit_1("<source>Press <![CDATA[<b>]]>OK<![CDATA[</b> & go]]></source>")
    assert ">PRESS <![CDATA[<b>]]>OK<![CDATA[</b>]]> &amp; GO</target>" in written(data)


def test_only_the_innermost_texts_of_a_message_are_translated():
    data = unit_1(
        "<source>{n, plural, =0 {No files} one {# file} other {<x id='1'/> of # files}}</source>"
    )
    assert segments(data) == ["No files", "[#] file", "[<x id='1'/>] of [#] files"]
    assert (
        ">{n, plural, =0 {NO FILES} one {# FILE} other {<x id='1'/> OF # FILES}}</target>"
    ) in written(data)
    assert "=0 {ab} one" in written(data, replaced_by("a}b"))


@pytest.mark.parametrize(
    "message",
    ["{n, plural, one {a} other {b}", "{n, plural, one {it '{'} other {b}}", "{n, plural, x}"],
)
def test_a_message_that_cannot_be_divided_stays(message: str):
    data = unit_1(f"<source>{message}, please</source>")
    assert written(data) == data.decode()
