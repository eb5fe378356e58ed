"""Workbooks of Excel: typed as text, never computed."""

import io
import random
import zipfile

import pytest
from openpyxl import Workbook, load_workbook

from nmt.errors import DataError, InputError
from nmt.ratings.batches import make_key
from nmt.ratings.checks import check_lines
from nmt.ratings.sheets.files import batch_files, write_files
from nmt.ratings.sheets.table import columns_of
from nmt.ratings.sheets.xlsx_sheet import read_xlsx, write_xlsx
from tests.support.ratings.studies import Outputs, design

TEXTS = [
    "''quoted",
    "'=1",
    "wait; =x",
    "=1+1",
    "+1",
    "-1",
    "@x",
    "3/4",
    "007",
    "\x07bell",
    "two\nlines",
    "வணக்கம்",
]


@pytest.fixture
def study():
    other = [f"other {number}" for number in range(len(TEXTS))]
    given = Outputs("t", "eng_Latn", "tam_Taml", TEXTS, {"a": TEXTS, "b": other}, {})
    return design(given)


def workbook(study):
    return load_workbook(io.BytesIO(write_xlsx(study, make_key(study, 1).rows)))


def test_every_text_is_typed_as_text(study):
    sheet = workbook(study).worksheets[0]
    names = [column.name for column in columns_of(study)]
    for row in sheet.iter_rows(min_row=2):
        for name, cell in zip(names, row, strict=True):
            if name == "source" or name.startswith("translation"):
                assert (cell.data_type, cell.number_format, cell.quotePrefix) == ("s", "@", True)


def test_a_workbook_holds_no_formula(study):
    content = write_xlsx(study, make_key(study, 1).rows)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert b"<f>" not in packed.read("xl/worksheets/sheet1.xml")


def test_only_the_columns_to_fill_in_can_be_changed(study):
    sheet = workbook(study).worksheets[0]
    names = [column.name for column in columns_of(study)]
    open_names = {
        name for name, cell in zip(names, sheet[2], strict=True) if not cell.protection.locked
    }
    assert sheet.protection.sheet
    assert open_names == {"score A", "score B", "comment"}


def test_a_workbook_comes_back_with_its_texts_and_numbers(study):
    book = workbook(study)
    sheet = book.worksheets[0]
    sheet["D2"], sheet["F2"] = 80, 70.5
    stream = io.BytesIO()
    book.save(stream)
    lines = list(read_xlsx(stream.getvalue(), "s.xlsx"))
    assert {line.cells["source"] for line in lines} >= {"=1+1", "3/4", "two\nlines"}
    assert (lines[0].cells["score A"], lines[0].cells["score B"]) == ("80", "70.5")
    checked = check_lines(lines, study, [make_key(study, 1)])
    assert (len(checked.ratings), checked.problems) == (1, [])


def test_a_formula_is_read_as_its_text_and_not_computed(study):
    book = workbook(study)
    book.worksheets[0]["D2"] = "=40+40"
    stream = io.BytesIO()
    book.save(stream)
    assert next(read_xlsx(stream.getvalue(), "s.xlsx")).cells["score A"] == "=40+40"


@pytest.mark.parametrize("number_format", ["0%", "0.00%"])
def test_a_percentage_is_refused_as_in_a_csv_sheet(study, number_format):
    book = workbook(study)
    sheet = book.worksheets[0]
    # What Excel stores when somebody types 85%.
    sheet["D2"], sheet["F2"] = 0.85, 70
    sheet["D2"].number_format = number_format
    stream = io.BytesIO()
    book.save(stream)
    lines = list(read_xlsx(stream.getvalue(), "s.xlsx"))
    checked = check_lines(lines, study, [make_key(study, 1)])
    assert checked.ratings == []
    assert "s.xlsx, row 2, column 'score A': '85%' is not a number" in checked.problems[0]


def test_a_number_with_the_word_per_cent_beside_it_stays_as_it_was_typed(study):
    book = workbook(study)
    book.worksheets[0]["D2"] = 85
    book.worksheets[0]["D2"].number_format = '0" %"'
    stream = io.BytesIO()
    book.save(stream)
    assert next(read_xlsx(stream.getvalue(), "s.xlsx")).cells["score A"] == "85"


def test_a_workbook_without_ids_is_refused():
    book = Workbook()
    book.worksheets[0].append(["name", "score"])
    stream = io.BytesIO()
    book.save(stream)
    with pytest.raises(DataError, match="no column 'id'"):
        list(read_xlsx(stream.getvalue(), "s.xlsx"))


def packed(part):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", part)
    return stream.getvalue()


@pytest.mark.parametrize(
    "part",
    [random.Random(1).randbytes(26 * 1024**2), b'<c r="A1"><v>1</v></c>' * 100_000],
    ids=["large", "packed by far more than a sheet"],
)
def test_a_file_that_unpacks_to_far_more_is_not_read(part):
    with pytest.raises(DataError, match=r"bomb\.xlsx: unpacks from .*: save it as 'CSV UTF-8'"):
        list(read_xlsx(packed(part), "bomb.xlsx"))


def long_study(characters):
    """Make a study of 430 sentences, and 490 rows, in which ten systems write so much."""
    letters = "".join(map(chr, range(0x0B95, 0x0BB9))) + "    "
    draw = random.Random(1)
    texts = ["".join(draw.choices(letters, k=characters)) for _ in range(430)]
    systems = {f"s{number}": [f"{number} {text}" for text in texts] for number in range(10)}
    given = Outputs("t", "eng_Latn", "tam_Taml", texts, systems, {})
    return design(given, rows=430, looks=1, protocol="esa")


def test_a_large_sheet_is_read():
    study = long_study(600)
    rows = make_key(study, 1).rows
    assert len(list(read_xlsx(write_xlsx(study, rows), "s.xlsx"))) == len(rows) == 490


def test_a_workbook_that_would_not_be_read_when_it_comes_back_is_not_written():
    study = long_study(800)
    with pytest.raises(InputError, match=r"a sheet of 490 rows has .* bytes .*: give --format csv"):
        write_xlsx(study, make_key(study, 1).rows)


def rewritten(content, name, change):
    """Change one part of a workbook."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as packed,
        zipfile.ZipFile(stream, "w") as other,
    ):
        for entry in packed.namelist():
            part = packed.read(entry)
            other.writestr(entry, change(part) if entry == name else part)
    return stream.getvalue()


def test_entities_of_a_workbook_are_not_expanded(study):
    bomb = (
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
        b'<!ENTITY c SYSTEM "file:///etc/passwd">]>'
    )
    content = rewritten(
        write_xlsx(study, make_key(study, 1).rows),
        "xl/worksheets/sheet1.xml",
        lambda part: bomb + part.replace(b"<sheetData>", b"<sheetData>&b;&c;"),
    )
    with pytest.raises(DataError, match=r"not an \.xlsx workbook"):
        list(read_xlsx(content, "s.xlsx"))


def test_a_workbook_that_claims_to_be_huge_is_read_quickly(study):
    content = rewritten(
        write_xlsx(study, make_key(study, 1).rows),
        "xl/worksheets/sheet1.xml",
        lambda part: part.replace(
            b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
        ),
    )
    lines = list(read_xlsx(content, "s.xlsx"))
    assert len(lines) == len(make_key(study, 1).rows)


def test_a_workbook_may_be_written_again_unless_it_is_filled_in(study, tmp_path):
    key = make_key(study, 1)
    (path, _) = write_files(tmp_path, batch_files(study, key, "xlsx"))
    write_files(tmp_path, batch_files(study, key, "xlsx"))
    book = load_workbook(path)
    book.worksheets[0]["D2"] = 80
    book.save(path)
    with pytest.raises(InputError, match="exists with other content"):
        write_files(tmp_path, batch_files(study, key, "xlsx"))


def test_a_text_that_no_cell_holds_is_refused_by_its_number():
    given = Outputs("t", "eng_Latn", "tam_Taml", ["a"], {"a": ["x" * 40_000], "b": ["y"]}, {})
    long = design(given)
    with pytest.raises(InputError, match=r"sentence 1 of 't': has 40,000 characters"):
        write_xlsx(long, make_key(long, 1).rows)
