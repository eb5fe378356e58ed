"""What comes back from raters is checked as a whole, and imported completely or not at all."""

import csv
import io
import time
from dataclasses import replace

import pytest

from nmt.errors import DataError
from nmt.ratings.decision import decide
from nmt.ratings.imports import import_files
from nmt.ratings.studies import open_batch, read_design, start_study, write_batch
from tests.support.ratings.studies import design, outputs, write
from tests.support.ratings.written_study import GOOD, WrittenStudy


@pytest.fixture
def study(tmp_path):
    return WrittenStudy(tmp_path)


def changed(content: bytes, old: str, new: str) -> bytes:
    text = content.decode("utf-8-sig")
    assert old in text
    return text.replace(old, new, 1).encode("utf-8-sig")


def lines_of(content: bytes) -> list[str]:
    return content.decode("utf-8-sig").splitlines(keepends=True)


def test_filled_sheets_become_ratings_with_their_systems(study):
    (imported,) = study.give_back(study.filled())
    assert imported.new == len(study.key.rows)
    rating = next(each for each in study.ratings() if each.kind == "rating")
    assert rating.values["new"]["score"] > rating.values["old"]["score"] - 30
    assert decide(study.ratings(), study.design).answer == "accept"


def test_the_batch_stays_open_until_all_its_ratings_are_there(study):
    assert open_batch(study.storage, study.design) == 1
    study.give_back(study.filled())
    assert open_batch(study.storage, study.design) == 2


@pytest.mark.parametrize(
    "spreadsheet",
    [
        lambda text: text.encode("utf-8"),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\r\n", "\n").encode("utf-8-sig"),
        lambda text: ("sep=,\r\n" + text).encode("utf-8-sig"),
        lambda text: (text + ",,,,,,\r\n" * 3).encode("utf-8-sig"),
        lambda text: text.replace("\r\n", ",,\r\n").encode("utf-8-sig"),
        lambda text: "".join(
            [text.splitlines(True)[0], *reversed(text.splitlines(True)[1:])]
        ).encode("utf-8-sig"),
        lambda text: text.replace("score A", "Score a").encode("utf-8-sig"),
    ],
    ids=["no mark", "utf-16", "lf", "sep", "empty rows", "empty columns", "sorted", "case"],
)
def test_what_spreadsheets_change_is_accepted(study, spreadsheet):
    study.give_back(spreadsheet(study.filled().decode("utf-8-sig")))
    assert len(study.ratings()) == len(study.key.rows)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_commas_and_other_separators_are_accepted(study, delimiter):
    study.give_back(study.filled(lambda *_: "70,5", delimiter))
    assert study.ratings()[0].values["old"]["score"] == 70.5


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("101", "101 is not from 0 to 100"),
        ("-1", "-1 is not from 0 to 100"),
        ("good", "'good' is not a number"),
        ("=A1", "'=A1' is not a number"),
        ("nan", "'nan' is not a number"),
        ("1e1", "'1e1' is not a number"),
        ("1,000.5", "is not a number"),
        ("1,000", "'1,000' could be a decimal number or have a comma between thousands"),
        ("", "is empty: give a number from 0 to 100"),
    ],
)
def test_a_bad_rating_is_refused_with_file_row_and_rule(study, cell, message):
    first = study.key.rows[0].id

    def fill(row, label, field):
        return cell if (row.id, label) == (first, "A") else GOOD(row, label, field)

    with pytest.raises(DataError) as error:
        study.give_back(study.filled(fill))
    assert "back.csv, row 2, column 'score A'" in str(error.value)
    assert message in str(error.value)
    assert study.ratings() == ()


def test_all_problems_are_named_at_once_up_to_twenty(study):
    with pytest.raises(DataError) as error:
        study.give_back(study.filled(lambda *_: "x"))
    problems = 2 * len(study.key.rows)
    assert f"because of {problems} problems" in str(error.value)
    assert f"... and {problems - 20} more" in str(error.value)


def test_a_changed_source_is_refused(study):
    with pytest.raises(DataError, match="column 'source': the text was changed"):
        study.give_back(changed(study.filled(), "sentence", "phrase"))


def test_a_removed_column_is_one_problem(study):
    content = study.filled().decode("utf-8-sig").replace("score B", "notes").encode()
    with pytest.raises(DataError) as error:
        study.give_back(content, partial=True)
    assert "1 problem:" in str(error.value)
    assert "back.csv: lacks the columns 'score B' of protocol da" in str(error.value)


@pytest.mark.parametrize("column", ["source", "translation A"])
def test_a_sheet_without_its_texts_is_refused_since_nobody_knows_what_was_rated(study, column):
    rows = list(csv.DictReader(io.StringIO(study.filled().decode("utf-8-sig"), newline="")))
    stream = io.StringIO(newline="")
    kept = [name for name in rows[0] if name != column]
    writer = csv.DictWriter(stream, kept, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    with pytest.raises(DataError, match=f"lacks the columns '{column}'"):
        study.give_back(stream.getvalue().encode())


def test_an_unknown_id_is_refused(study):
    with pytest.raises(DataError, match="'zz' is not the id of a row of study 'first'"):
        study.give_back(changed(study.filled(), study.key.rows[0].id, "zz"))


def test_a_note_below_a_sheet_whose_ids_come_last_is_refused_as_a_row_without_an_id(study):
    rows = list(csv.reader(io.StringIO(study.filled().decode("utf-8-sig"), newline="")))
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([*([*row[1:], row[0]] for row in rows), ["my note: done", ""]])
    with pytest.raises(DataError, match="'' is not the id of a row"):
        study.give_back(stream.getvalue().encode())


def test_a_row_that_occurs_twice_is_refused(study):
    lines = lines_of(study.filled())
    with pytest.raises(DataError, match=r"is also in back\.csv, row 2"):
        study.give_back("".join([*lines, lines[1]]).encode("utf-8-sig"))


def test_a_removed_row_is_refused(study):
    lines = lines_of(study.filled())
    with pytest.raises(DataError, match="lacks 1 of the"):
        study.give_back("".join(lines[:-1]).encode("utf-8-sig"))


def test_an_unfinished_sheet_needs_the_option_for_it(study):
    half = {row.id for row in study.key.rows[:5]}

    def fill(row, label, field):
        return GOOD(row, label, field) if row.id in half else ""

    with pytest.raises(DataError, match="has no rating"):
        study.give_back(study.filled(fill))
    (imported,) = study.give_back(study.filled(fill), partial=True)
    assert (imported.new, imported.unrated) == (5, len(study.key.rows) - 5)


def test_a_batch_without_its_controls_does_not_decide(study):
    rated = {row.id for row in study.key.rows if row.kind == "rating"}

    def fill(row, label, field):
        return GOOD(row, label, field) if row.id in rated else ""

    (imported,) = study.give_back(study.filled(fill), partial=True)
    found = decide(study.ratings(), study.design, [study.key])
    assert (found.answer, found.looks, found.missing) == ("undecided", 0, 0)
    assert found.missing_controls == imported.unrated == 2
    assert "none for 2 of its repeats and degraded rows" in found.reason
    # The sheet that goes out next is the one that the decision waits for.
    assert found.next_batch == open_batch(study.storage, study.design) == 1


def test_the_same_file_twice_counts_once(study):
    study.give_back(study.filled())
    (again,) = study.give_back(study.filled())
    assert (again.new, again.known) == (0, len(study.key.rows))


def test_other_ratings_of_the_same_rows_need_the_option_for_it(study):
    study.give_back(study.filled())
    other = study.filled(lambda *_: "50")
    with pytest.raises(DataError, match=f"row '{study.key.rows[0].id}'.*--replace"):
        study.give_back(other)
    (imported,) = study.give_back(other, replace=True)
    assert imported.replaced == len(study.key.rows)


def test_a_sheet_of_another_run_is_refused(study, tmp_path):
    (tmp_path / "other").mkdir()
    other = WrittenStudy(tmp_path / "other")
    with pytest.raises(DataError, match=r"none of its .* rows is of a study of run 'demo'"):
        study.give_back(other.filled())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"name,score\r\nx,1\r\n", "has no column 'id'"),
        ("id,source\r\nx,\u00e9\r\n".encode("latin-1"), "is not in Unicode"),
        (b"PK\x03\x04broken", "not an .xlsx workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an old workbook .* or one with a password: save it"),
        (b"{not json", "not annotations of Pearmut"),
        (b'id,source\r\n"' + b"x" * 200_000, "not a CSV file"),
    ],
)
def test_a_file_that_is_not_a_sheet_is_refused(study, content, message):
    with pytest.raises(DataError, match=message):
        study.give_back(content)


def test_a_cell_without_an_end_is_refused_also_where_another_reader_takes_long_cells(study):
    before = csv.field_size_limit(1_000_000)
    try:
        with pytest.raises(DataError, match="line 2 has a cell of more than 100,000 characters"):
            study.give_back(b'id,source\r\n"' + b"x" * 200_000)
    finally:
        csv.field_size_limit(before)


def test_a_file_of_endless_columns_is_refused_at_once(study):
    # Telling which names occur twice took a minute for 40,000 columns.
    content = ",".join(["id", *(f"c{number}" for number in range(40_000))]).encode()
    started = time.process_time()
    with pytest.raises(
        DataError, match=r"back\.csv: row 1 has 40,001 cells, .* at most 100 columns"
    ):
        study.give_back(content)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("comment", ["", "a comment"])
def test_a_row_that_a_decimal_comma_has_made_longer_is_refused(study, comment):
    head, first, *others = study.filled().decode("utf-8-sig").splitlines()
    plain = ",".join([*first.split(",")[:-2], "85,5", comment])
    with pytest.raises(
        DataError, match="row 2 has 8 cells, and the first row has 7: write numbers"
    ):
        study.give_back("\r\n".join([head, plain, *others]).encode())


def test_a_file_of_endless_rows_is_not_a_sheet(study):
    with pytest.raises(DataError, match="more than 20,000 rows"):
        study.give_back(b"id\r\n" + b"x\r\n" * 20_001)


def test_a_cell_cannot_send_commands_to_the_terminal(study):
    with pytest.raises(DataError) as error:
        study.give_back(changed(study.filled(), study.key.rows[0].id, "\x1b[2Jevil"))
    assert "\x1b" not in str(error.value)


def test_a_damaged_key_is_refused(study):
    place = "demo/ratings/first/key-001.json"
    content = study.storage.read_bytes(place)
    study.storage.write_bytes(place, content.replace(b'"old"', b'"new"', 1))
    with pytest.raises(Exception, match="changed after it was written"):
        study.give_back(study.filled())


def test_the_design_of_a_study_cannot_change(study):
    with pytest.raises(Exception, match=r"another design .*looks"):
        start_study(study.storage, design(looks=1))
    assert start_study(study.storage, design()) == read_design(study.storage, "demo", "first")


def test_a_study_goes_on_with_its_metric_where_the_translations_are_scored_anew(study):
    scored = design(outputs(last_scores=[40.0] * 40))
    assert start_study(study.storage, scored) == read_design(study.storage, "demo", "first")
    assert read_design(study.storage, "demo", "first").segments == study.design.segments


def test_a_study_does_not_go_on_with_other_translations(study):
    given = outputs()
    texts = {name: [f"{text} now" for text in each] for name, each in given.systems.items()}
    with pytest.raises(Exception, match=r"another design \(the translations\)"):
        start_study(study.storage, design(replace(given, systems=texts)))


def test_a_sheet_that_is_filled_in_is_not_written_over(study):
    path = study.batch.files[0]
    path.write_bytes(study.filled())
    with pytest.raises(Exception, match="exists with other content"):
        write_batch(study.storage, study.design, path.parent, "csv")


def test_the_instructions_of_another_study_are_not_written_over(study):
    folder = study.batch.files[0].parent
    given = design(protocol="pairwise", raters=("ravi",)).model_copy(update={"study": "second"})
    other = start_study(study.storage, given)
    with pytest.raises(Exception, match=r"instructions\.txt exists with other content"):
        write_batch(study.storage, other, folder, "csv")


@pytest.mark.parametrize("below", ["ratings/first", "sheets", "."])
def test_sheets_are_not_put_into_the_folder_of_their_run(study, below):
    beside = study.folder / "runs" / "demo" / below
    with pytest.raises(Exception, match="is in the folder of run 'demo', where the key lies"):
        write_batch(study.storage, study.design, beside, "csv")


def test_two_sheets_of_one_batch_are_imported_together(tmp_path):
    study = WrittenStudy(tmp_path, raters=("anna", "ravi"))
    files = [write(tmp_path, f"{number}.csv", study.filled(sheet=number)) for number in range(2)]
    (imported,) = import_files(study.storage, "demo", files)
    assert imported.new == len(study.key.rows)
