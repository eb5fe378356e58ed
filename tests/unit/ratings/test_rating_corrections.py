"""Corrections are stored as raters have typed them, and no work of a rater is left out."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from nmt.errors import DataError
from nmt.ratings.sheets.cells import clean_text, mark_text, read_edit
from nmt.ratings.statistics.post_editing import measure_post_edits
from tests.support.ratings.studies import Outputs
from tests.support.ratings.written_study import WrittenStudy, csv_of

TYPED = "=1+1;\n-2 'words'"


def edited_study(folder, text="words of text"):
    """Write the sheet of a study in which all translations begin alike."""
    sources = [f"sentence {number}" for number in range(20)]
    systems = {name: [f"{text} {number} {name}" for number in range(20)] for name in ("old", "new")}
    given = Outputs("news", "eng_Latn", "tam_Taml", sources, systems, {})
    return WrittenStudy(folder, given=given, protocol="post-editing")


def as_xlsx(rows):
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def unchanged(cell):
    return cell


def edit(study, change, save=csv_of, see=unchanged):
    """Correct every text of a sheet, whose cells the spreadsheet shows as `see` makes them."""
    rows = []
    for row in study.rows():
        shown = {name: see(cell) for name, cell in row.items()}
        rows.append(shown | {"post-edit A": change(shown["post-edit A"]), "minutes A": "1,5"})
    study.give_back(save(rows))
    return [text for rating in study.ratings() for text in rating.texts.values()]


def test_a_correction_is_stored_as_it_was_typed(tmp_path):
    study = edited_study(tmp_path)
    assert set(edit(study, lambda _: TYPED)) == {TYPED}
    minutes = {each["minutes"] for rating in study.ratings() for each in rating.values.values()}
    assert minutes == {1.5}


@pytest.mark.parametrize(
    ("shown", "corrected"),
    [("- two of my friends", "Two of my friends"), ("- wait for me; =a", "Wait for me; =a")],
    ids=["before", "within"],
)
def test_marks_before_and_within_a_text_are_not_part_of_its_correction(tmp_path, shown, corrected):
    found = edit(edited_study(tmp_path, shown), lambda cell: cell.replace(shown[:3], corrected[0]))
    assert all(text.startswith(corrected) for text in found)


@pytest.mark.parametrize("change", [unchanged, lambda cell: f"{cell}!"])
def test_the_apostrophe_of_a_text_stays_in_a_workbook_which_has_no_marks(tmp_path, change):
    study = edited_study(tmp_path, "'90s")
    found = edit(study, change, as_xlsx, see=lambda cell: cell.removeprefix("'"))
    assert all(text.startswith("'90s") for text in found)


def test_the_apostrophe_of_a_text_stays_where_a_spreadsheet_takes_the_mark_off(tmp_path):
    # Excel takes the first apostrophe of a cell that is edited for its own sign of a text.
    found = edit(edited_study(tmp_path, "'90s"), lambda cell: f"{cell[1:]}!")
    assert all(text.startswith("'90s") for text in found)


@pytest.mark.parametrize(
    "see",
    [unchanged, lambda cell: cell.removeprefix("'"), lambda cell: cell.replace(" ", "\u00a0")],
    ids=["marked", "mark hidden", "other space"],
)
@pytest.mark.parametrize("save", [csv_of, as_xlsx])
@pytest.mark.parametrize("text", ["'90s", "- two", "'=a; =b", "two\nlines"])
def test_nothing_counts_as_an_edit_where_nothing_was_changed(tmp_path, text, save, see):
    study = edited_study(tmp_path, text)
    edit(study, unchanged, save, see=see)
    assert [each.hter for each in measure_post_edits(study.ratings(), study.design)] == [0.0, 0.0]


@settings(deadline=None)
@given(st.text(alphabet="=+-@\t\n\r;,' \"a1\u200b\u00a0", max_size=9))
def test_any_text_that_was_not_changed_is_read_as_it_was_shown(text):
    for cell in (mark_text(text), clean_text(text)):
        assert read_edit(cell, text, cell) == clean_text(text)


def test_an_empty_correction_is_refused(tmp_path):
    with pytest.raises(DataError, match="column 'post-edit A': is empty"):
        edit(edited_study(tmp_path), lambda _: " ")


@pytest.mark.parametrize("partial", [False, True])
def test_a_corrected_text_without_its_minutes_is_refused_and_not_left_out(tmp_path, partial):
    study = edited_study(tmp_path)
    first, *others = study.rows()
    rows = [first | {"post-edit A": "a better text"}, *(row | {"minutes A": "1"} for row in others)]
    with pytest.raises(DataError) as error:
        study.give_back(csv_of(rows), partial=partial)
    assert "1 problem:" in str(error.value)
    assert "back.csv, row 2, column 'minutes A': is empty: give a number from" in str(error.value)


def test_a_text_that_nobody_has_corrected_is_a_row_without_a_rating(tmp_path):
    study = edited_study(tmp_path, "'90s music")
    first, *others = study.rows()
    rows = [first, *(row | {"minutes A": "1"} for row in others)]
    (imported,) = study.give_back(csv_of(rows), partial=True)
    assert (imported.new, imported.unrated) == (19, 1)


@pytest.mark.parametrize("partial", [False, True])
def test_counted_errors_without_a_score_are_refused_and_not_left_out(tmp_path, partial):
    study = WrittenStudy(tmp_path, protocol="esa")
    first, *others = study.rows()
    rows = [
        first | {"minor B": "2"},
        *(row | {"score A": "50", "score B": "60"} for row in others),
    ]
    with pytest.raises(DataError) as error:
        study.give_back(csv_of(rows), partial=partial)
    assert "back.csv, row 2, column 'score A': is empty" in str(error.value)
    assert "back.csv, row 2, column 'score B': is empty" in str(error.value)


def test_error_counts_of_zero_without_a_score_are_a_row_without_a_rating(tmp_path):
    # Pearmut counts the errors of a text that nobody has looked at.
    study = WrittenStudy(tmp_path, protocol="esa")
    zeros = dict.fromkeys(("minor A", "major A", "minor B", "major B"), "0")
    first, *others = study.rows()
    rows = [first | zeros, *(row | {"score A": "50", "score B": "60"} for row in others)]
    (imported,) = study.give_back(csv_of(rows), partial=True)
    assert (imported.new, imported.unrated) == (len(others), 1)
