"""Texts of a sheet open as text in every spreadsheet, and come back as they were."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.ratings.batches import make_key
from nmt.ratings.sheets.cells import clean_text, is_same_text, mark_text, read_text
from nmt.ratings.sheets.csv_sheet import read_csv, write_csv
from tests.support.ratings.studies import Outputs, design

POISONED = [
    "=1+1",
    "=cmd|'/C calc'!A0",
    '=HYPERLINK("http://example.org","x")',
    "+1 on that",
    "-5 degrees",
    "@SUM(A1:A9)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\u00a0=1",
    "\u200b=1",
    "\ufeff=1",
    "\x00=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "﹦1",
    '"=1"',
    "'=1",
]
CONVERTED = [
    "1" * 31,
    "12345678901234567890.12345678901",
    "007",
    "3/4",
    "1e5",
    "3 May",
    "12:30",
    "TRUE",
    "false",
    "1,000",
]


@pytest.mark.parametrize("text", [*POISONED, *CONVERTED])
def test_what_a_spreadsheet_would_not_show_as_text_begins_with_an_apostrophe(text):
    assert mark_text(text).startswith("'")


@pytest.mark.parametrize("text", ["A sentence.", "வணக்கம்", "He said: a = b", "x", ""])
def test_other_texts_stay_as_they_are(text):
    assert mark_text(text) == text


def test_a_part_that_a_semicolon_would_make_a_cell_of_its_own_is_marked():
    assert mark_text("wait; =A") == "wait;' =A"
    assert mark_text("line\n-x") == "line\n'-x"


@pytest.mark.parametrize("text", [*POISONED, *CONVERTED, "a;'-)", "'tis so", ";;=1"])
def test_a_marked_text_is_read_as_it_was(text):
    assert read_text(mark_text(text)) == clean_text(text)


@settings(deadline=None)
@given(st.text(alphabet="=+-@＝－\t\n\r;,' \"a1\u200b\u00a0é", max_size=9))
def test_any_text_is_read_as_it_was(text):
    assert read_text(mark_text(text)) == clean_text(text)


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=12))
def test_no_marked_text_begins_like_a_formula(text):
    assert not mark_text(text).lstrip().startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize(
    "cell",
    ["'=a;'=b  is", "=a;'=b is", "=a;=b is", "'=a;'=b\u00a0is ", "'=a;'=b\r\nis"],
    ids=["marked", "one mark removed", "marks removed", "other space", "line break"],
)
def test_a_cell_that_a_spreadsheet_has_rewritten_still_has_the_same_text(cell):
    assert is_same_text(cell, "=a;=b is")


def test_a_changed_letter_is_another_text():
    assert not is_same_text("a house", "a mouse")


def poisoned_study():
    texts = [*POISONED, *CONVERTED, "a\nb", 'say "x"; =2']
    other = [f"other {number}" for number in range(len(texts))]
    given = Outputs("t", "eng_Latn", "tam_Taml", texts, {"a": texts, "b": other}, {})
    return design(given, rows=max(20, len(texts)))


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_no_cell_of_a_poisoned_sheet_is_a_formula_whatever_the_separator(delimiter):
    study = poisoned_study()
    sheet = write_csv(study, make_key(study, 1).rows).decode("utf-8-sig")
    rows = csv.reader(io.StringIO(sheet, newline=""), delimiter=delimiter)
    starts = {cell.lstrip()[:1] for row in rows for cell in row}
    assert not starts & set("=+-@＝＋－")


def test_a_poisoned_sheet_comes_back_with_all_its_texts():
    study = poisoned_study()
    key = make_key(study, 1)
    lines = list(read_csv(write_csv(study, key.rows), "sheet.csv"))
    assert [read_text(line.cells["source"]) for line in lines] == [
        clean_text(row.source) for row in key.rows
    ]
