"""DOCX files: which texts are translated, and what of a paragraph is a code."""

import io
import re
import zipfile
from dataclasses import replace

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.documents.content import Code, Text
from nmt.documents.document import TranslatedSegment
from nmt.documents.errors import BrokenDocumentError, DocumentError
from nmt.documents.formats.docx.reader import read_docx
from tests.support.document_translators import (
    TO_TAMIL,
    brackets,
    identity,
    replaced_by,
    translate,
    upper,
)
from tests.support.docx import make_docx, part_of

WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def run(text: str, properties: str = "") -> str:
    properties = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r w:rsidR="00A1">{properties}<w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*runs: str) -> str:
    return f"<w:p>{''.join(runs)}</w:p>"


def field(code: str, result: str) -> str:
    def mark(kind: str) -> str:
        return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'

    instruction = f"<w:r><w:instrText> {code} </w:instrText></w:r>"
    return f"{mark('begin')}{instruction}{mark('separate')}{result}{mark('end')}"


def segments(body: str) -> list[str]:
    """Return the texts of a body, with each code by its kind."""
    return [
        "".join(
            piece.text if isinstance(piece, Text) else f"[{piece.kind}]"
            for piece in segment.content
        )
        for segment in read_docx(make_docx(body), TO_TAMIL).segments
    ]


def written(body: str, change=upper, **options) -> str:
    """Return the body of a translated document, without the language of its runs."""
    document = read_docx(make_docx(body), replace(TO_TAMIL, **options))
    result = part_of(translate(document, change), "word/document.xml")
    inner = result.split("<w:body>")[1].split("</w:body>")[0]
    inner = re.sub(r"<w:lang [^>]*/>", "", inner).replace("<w:rPr></w:rPr>", "")
    return inner.replace(' xml:space="preserve"', "")


def test_neighbouring_runs_that_look_alike_are_one_text():
    body = paragraph(
        run("Wa"),
        '<w:proofErr w:type="spellStart"/>',
        run("ter is ", '<w:lang w:val="en-US"/><w:noProof/>'),
        run("cold", "<w:lang/>"),
    )
    assert segments(body) == ["Water is cold"]
    assert written(body) == "<w:p><w:r><w:t>WATER IS COLD</w:t></w:r></w:p>"


def test_another_format_inside_a_paragraph_is_a_pair_of_codes():
    body = f"<w:p>{run('It is ')}{run('very', '<w:b/>')}{run(' cold')}</w:p>"
    assert segments(body) == ["It is [open]very[close] cold"]
    assert written(body) == (
        "<w:p><w:r><w:t>IT IS </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>VERY</w:t></w:r>"
        "<w:r><w:t> COLD</w:t></w:r></w:p>"
    )


def test_the_format_of_most_of_the_text_is_not_a_code():
    body = f"<w:p>{run('Note: ', '<w:i/>')}{run('the water is cold', '<w:b/>')}</w:p>"
    assert segments(body) == ["[open]Note: [close]the water is cold"]


def test_a_space_does_not_divide_a_format_unless_it_shows_on_it():
    bold = "<w:b/>"
    assert segments(f"<w:p>{run('All', bold)}{run(' ')}{run('bold', bold)}</w:p>") == ["All bold"]
    line = paragraph(run("Sign here: "), run("    ", "<w:u/>"), run(" today"))
    assert segments(line) == ["Sign here: [open]    [close] today"]


@pytest.mark.parametrize(
    ("element", "kind"),
    [
        ("<w:tab/>", "break"),
        ("<w:br/>", "break"),
        ("<w:softHyphen/>", "point"),
        ('<w:footnoteReference w:id="1"/>', "point"),
        ('<w:sym w:char="F04A"/>', "word"),
        ("<w:drawing><wp:anchor/></w:drawing>", "point"),
        ("<w:drawing><wp:inline/></w:drawing>", "word"),
    ],
)
def test_an_element_of_a_run_is_a_code_in_a_run_of_its_own(element: str, kind: str):
    body = f"<w:p>{run('One ')}<w:r><w:rPr><w:b/></w:rPr>{element}</w:r>{run(' two')}</w:p>"
    assert segments(body) == [f"One [{kind}] two"]
    assert f"<w:r><w:rPr><w:b/></w:rPr>{element}</w:r>" in written(body)


@pytest.mark.parametrize(
    ("element", "kind"),
    [
        ('<w:bookmarkStart w:id="1" w:name="a"/>', "point"),
        ('<w:del w:id="1"><w:r><w:delText>old</w:delText></w:r></w:del>', "point"),
        ("<m:oMath><m:r><m:t>a</m:t></m:r></m:oMath>", "word"),
        ('<w:fldSimple w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple>', "word"),
    ],
)
def test_an_element_beside_runs_is_a_code(element: str, kind: str):
    body = f"<w:p>{run('One ')}{element}{run(' two')}</w:p>"
    assert segments(body) == [f"One [{kind}] two"]
    assert element in written(body)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ('<w:hyperlink r:id="rId7">', "</w:hyperlink>"),
        ('<w:ins w:id="1" w:author="A">', "</w:ins>"),
        ("<w:smartTag>", "</w:smartTag>"),
        ("<w:sdt><w:sdtPr><w:text/></w:sdtPr><w:sdtContent>", "</w:sdtContent></w:sdt>"),
        ('<w:fldSimple w:instr="HYPERLINK &quot;a&quot;">', "</w:fldSimple>"),
    ],
)
def test_text_in_an_element_around_runs_is_translated_with_the_sentence(start: str, end: str):
    body = f"<w:p>{run('See ')}{start}{run('this page', '<w:u/>')}{end}{run(' now')}</w:p>"
    assert segments(body) == ["See [open]this page[close] now"]
    inner = "<w:r><w:rPr><w:u/></w:rPr><w:t>THIS PAGE</w:t></w:r>"
    assert f"{start}{inner}{end}" in written(body)


def test_the_place_of_a_link_is_exact_and_that_of_emphasis_is_not():
    link = f'<w:hyperlink r:id="rId7">{run("this")}</w:hyperlink>'
    document = read_docx(
        make_docx(f"<w:p>{run('See now ')}{link}{run('b', '<w:b/>')}</w:p>"), TO_TAMIL
    )
    codes = [piece for piece in document.segments[0].content if isinstance(piece, Code)]
    assert [code.is_exact for code in codes] == [True, True, False, False]


@pytest.mark.parametrize("code", ["PAGE", "REF _a \\h", "SEQ Figure", "MERGEFIELD Name"])
def test_a_field_is_one_code_with_its_result(code: str):
    element = field(code, run("three"))
    body = f"<w:p>{run('See ')}{element}{run(' there')}</w:p>"
    assert segments(body) == ["See [word] there"]
    assert "three" in written(body)
    assert f"> {code} </w:instrText>" in written(body)


def test_the_text_of_a_link_field_is_translated_inside_of_it():
    body = f"<w:p>{run('See ')}{field('HYPERLINK a', run('this page'))}{run(' now')}</w:p>"
    assert segments(body) == ["See [open]this page[close] now"]
    assert re.search(r'"separate"/></w:r><w:r><w:t>THIS PAGE</w:t></w:r><w:r>', written(body))


def test_entries_of_a_table_of_contents_are_text_and_their_pages_are_not():
    entry = f"{run('First chapter')}<w:r><w:tab/></w:r>{field('PAGEREF _a', run('12'))}"
    start, end = field("TOC", "|").split("|")
    body = f"<w:p>{start}{entry}</w:p><w:p>{entry}</w:p><w:p>{end}</w:p>"
    assert segments(body) == [
        "[open]First chapter[break][word]",
        "First chapter[break][word]",
    ]


def test_text_of_a_field_that_goes_over_paragraphs_is_not_translated():
    start, end = field("BIBLIOGRAPHY", "|").split("|")
    body = f"<w:p>{start}{run('A book')}</w:p><w:p>{run('More')}</w:p><w:p>{end}{run('Text')}</w:p>"
    assert segments(body) == ["[word]Text"]


def test_a_field_without_an_end_does_not_hide_the_text_that_follows():
    begin = '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
    assert segments(paragraph(run("One "), begin) + paragraph(run("Two"))) == ["One [point]", "Two"]


def box(inner: str) -> str:
    return (
        "<w:r><mc:AlternateContent><mc:Choice><w:drawing><wp:anchor>"
        f'<wp:docPr id="1" name="Box" descr="A &quot;box&quot;"/>'
        f"<w:txbxContent>{inner}</w:txbxContent></wp:anchor></w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict><w:txbxContent>{inner}</w:txbxContent></w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r>"
    )


def test_texts_in_boxes_and_descriptions_of_pictures_are_translated_in_their_places():
    inner = f"<w:p>{run('Inside')}</w:p>"
    body = f"<w:p>{run('Before')}{box(inner)}{run(' after')}</w:p>"
    assert segments(body) == ['A "box"', "Inside", "Inside", "Before[point] after"]
    new = "<w:p><w:r><w:t>INSIDE</w:t></w:r></w:p>"
    expected = box(new).replace("A &quot;box&quot;", "A &quot;BOX&quot;")
    assert expected in written(body).replace("<w:r><w:r>", "<w:r>")


def test_a_box_is_translated_if_the_paragraph_around_it_is_not():
    body = paragraph(run("12 "), box(paragraph(run("Inside"))))
    assert "INSIDE" in written(body)
    nested = box(paragraph(box(paragraph(run("Deep")))))
    assert written(paragraph(nested)).count("DEEP") == 4


def test_paragraphs_of_tables_and_content_controls_are_translated():
    cell = f"<w:tc><w:tcPr/><w:p>{run('A cell')}</w:p></w:tc>"
    inner = f"<w:tc><w:tbl><w:tr>{cell}</w:tr></w:tbl></w:tc>"
    table = f"<w:tbl><w:tblPr/><w:tr>{cell}{inner}</w:tr></w:tbl>"
    control = f"<w:sdt><w:sdtPr/><w:sdtContent><w:p>{run('Text')}</w:p></w:sdtContent></w:sdt>"
    assert segments(table + control) == ["A cell", "A cell", "Text"]


def test_white_space_counts_only_where_the_file_preserves_it():
    body = f"<w:p>{run(' a  b ')}<w:r><w:t> c </w:t></w:r></w:p>"
    assert segments(body) == [" a  b c"]
    data = make_docx(body)
    result = part_of(translate(read_docx(data, TO_TAMIL), upper), "word/document.xml")
    assert '<w:t xml:space="preserve"> A  B C</w:t>' in result


def test_new_text_is_escaped():
    body = f"<w:p>{run('Salt &amp; &lt;pepper>')}</w:p>"
    assert segments(body) == ["Salt & <pepper>"]
    assert "<w:t>SALT &amp; &lt;PEPPER&gt;</w:t>" in written(body)
    assert "<w:t>a]]&gt;&lt;/w:t&gt;</w:t>" in written(body, replaced_by("a]]></w:t>\0"))


def test_a_paragraph_that_is_not_translated_keeps_its_bytes():
    body = f"<w:p >{run('One')}<w:proofErr/>{run('two')}</w:p ><w:p/><w:p>{run('12')}</w:p>"
    data = make_docx(body)
    assert part_of(translate(read_docx(data, TO_TAMIL), identity), "word/document.xml") == part_of(
        data, "word/document.xml"
    )


@pytest.mark.parametrize(
    ("language", "attribute"),
    [("tam_Taml", 'bidi="ta"'), ("deu_Latn", 'val="de"'), ("zho_Hant", 'eastAsia="zh-Hant"')],
)
def test_new_text_has_its_language(language: str, attribute: str):
    body = paragraph(run("One", '<w:b/><w:lang w:val="en-US"/><w:specVanish/>'))
    document = read_docx(make_docx(body), replace(TO_TAMIL, target_language=language))
    result = part_of(translate(document, upper), "word/document.xml")
    assert f"<w:b/><w:lang w:{attribute}/><w:specVanish/></w:rPr><w:t>ONE" in result


def test_the_theme_chooses_its_font_for_the_language():
    settings = '<w:themeFontLang w:val="en-US"/>'
    data = make_docx(f"<w:p>{run('One')}</w:p>", settings=settings)
    result = translate(read_docx(data, TO_TAMIL), upper)
    assert '<w:themeFontLang w:val="en-US" w:bidi="ta"/>' in part_of(result, "word/settings.xml")


def test_text_from_right_to_left_has_its_direction():
    properties = "<w:pPr><w:keepNext/><w:jc/></w:pPr>"
    body = paragraph(run("One", "<w:b/><w:cs/>")) + paragraph(properties, run("Two"))
    result = written(body, target_language="urd_Arab")
    assert "<w:p><w:pPr><w:bidi/></w:pPr><w:r><w:rPr><w:b/><w:rtl/><w:cs/></w:rPr>" in result
    assert "<w:keepNext/><w:bidi/><w:jc/></w:pPr><w:r><w:rPr><w:rtl/></w:rPr><w:t>TWO" in result
    body = f"<w:p><w:pPr><w:bidi/></w:pPr>{run('One', '<w:rtl/>')}</w:p>"
    assert written(body, source_language="arb_Arab") == (
        "<w:p><w:pPr></w:pPr><w:r><w:t>ONE</w:t></w:r></w:p>"
    )


def test_all_parts_with_text_are_translated_and_others_are_copied():
    paragraph = f"<w:p>{run('Some text')}</w:p>"
    parts = ("header", "footer", "footnotes", "endnotes", "comments")
    data = make_docx(paragraph, **dict.fromkeys(parts, paragraph))
    document = read_docx(data, TO_TAMIL)
    assert [segment.path.split()[0] for segment in document.segments] == ["document", *parts]
    result = translate(document, upper)
    changed = {f"word/{name}.xml" for name in ("document", *parts)}
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(io.BytesIO(result)) as after:
        assert after.namelist() == before.namelist()
        assert {n for n in after.namelist() if before.read(n) != after.read(n)} == changed


def test_other_prefixes_and_encodings_of_parts_stay():
    data = make_docx(
        f"<w:p>{run('Café')}</w:p>",
        edit=lambda xml: (
            xml.replace("w:", "q:")
            .replace(":w=", ":q=")
            .replace("UTF-8", "UTF-16")
            .encode("utf-16")
        ),
    )
    with zipfile.ZipFile(io.BytesIO(translate(read_docx(data, TO_TAMIL), upper))) as archive:
        result = archive.read("word/document.xml").decode("utf-16")
    assert '<q:rPr><q:lang q:bidi="ta"/></q:rPr><q:t>CAFÉ</q:t>' in result


def test_a_translated_document_of_another_writer_opens():
    document = docx.Document()
    document.add_heading("A heading", 1)
    paragraph = document.add_paragraph("Some text with ")
    paragraph.add_run("bold").bold = True
    document.add_table(1, 1).cell(0, 0).text = "A cell"
    file = io.BytesIO()
    document.save(file)
    result = docx.Document(io.BytesIO(translate(read_docx(file.getvalue(), TO_TAMIL), brackets)))
    assert [each.text for each in result.paragraphs[:2]] == [
        "⟦A⟧ ⟦heading⟧",
        "⟦Some⟧ ⟦text⟧ ⟦with⟧ ⟦bold⟧",
    ]
    assert result.paragraphs[1].runs[-1].bold
    assert result.tables[0].cell(0, 0).text == "⟦A⟧ ⟦cell⟧"


PIECES = st.sampled_from(
    [
        run("text "),
        run(" bold ", "<w:b/>"),
        run("12", "<w:i/>"),
        run(" "),
        "<w:r><w:tab/></w:r>",
        "<w:r><w:softHyphen/></w:r>",
        '<w:hyperlink r:id="a">',
        "</w:hyperlink>",
        "<w:ins>",
        "</w:ins>",
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>',
        "<w:r><w:instrText>HYPERLINK a</w:instrText></w:r>",
        "<w:r><w:instrText>PAGE</w:instrText></w:r>",
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>',
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>',
        box(paragraph(run("inside"))),
    ]
)


@given(st.lists(PIECES, max_size=10))
def test_any_paragraph_comes_back_unchanged_or_with_its_letters_changed(pieces: list[str]):
    data = make_docx(paragraph(run("start")) + paragraph(*pieces))
    try:
        document = read_docx(data, TO_TAMIL)
    except DocumentError:
        return
    before = part_of(data, "word/document.xml")
    assert part_of(translate(document, identity), "word/document.xml") == before
    # Writing also checks that all elements are there, in a part that is valid XML.
    after = part_of(translate(document, upper), "word/document.xml")
    assert after.count("START</w:t>") == 1


def test_a_translation_that_loses_a_code_or_breaks_the_nesting_is_refused():
    link = f'<w:hyperlink r:id="rId7">{run("this")}</w:hyperlink>'
    document = read_docx(make_docx(f"<w:p>{run('See ')}{link}</w:p>"), TO_TAMIL)
    content = document.segments[0].content
    with pytest.raises(BrokenDocumentError, match="inline codes"):
        document.write([TranslatedSegment(content[:1])])
    with pytest.raises(BrokenDocumentError, match=r"document\.xml is broken"):
        document.write([TranslatedSegment((Text("a"), *content[::-1]))])
