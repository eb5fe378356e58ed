"""Campaigns for Pearmut and batches for Appraise, and what both give back."""

import csv
import io
import json

import pytest

from nmt.errors import DataError, InputError
from nmt.ratings.batches import labels_of, make_key
from nmt.ratings.checks import check_lines
from nmt.ratings.sheets.appraise import (
    is_export,
    read_export,
    write_batches,
    write_manifest,
)
from nmt.ratings.sheets.pearmut import read_annotations, write_campaign
from tests.support.ratings.studies import Outputs, design

POISONED = ["<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "a < b & c", "\x00zero"]


def poisoned_study(protocol):
    other = [f"other {number}" for number in range(len(POISONED))]
    given = Outputs("t", "eng_Latn", "tam_Taml", POISONED, {"a": POISONED, "b": other}, {})
    return design(given, protocol=protocol)


def documents(study, key):
    return [doc for task in json.loads(write_campaign(study, key))["data"] for doc in task]


def pearmut_log(study, key, respond):
    """Answer each document of a campaign as Pearmut logs it."""
    lines = []
    for number, document in enumerate(documents(study, key)):
        annotation = [{label: respond(label) for label in item["tgt"]} for item in document]
        entry = {
            "annotation": annotation,
            "actions": [{"time": 100.0, "action": "load"}, {"time": 112.5, "action": "submit"}],
            "item": document,
            "user_id": "1",
            "item_i": number,
        }
        lines.append(json.dumps(entry))
    return lines


def response(**changes):
    return {"score": 70, "error_spans": [], "textfield": None} | changes


def checked(lines, study, key):
    found = check_lines(lines, study, [key])
    assert found.problems == []
    return found.ratings


def test_a_campaign_has_a_task_for_each_rater_and_neutral_names():
    study = design(raters=("anna", "ravi"))
    campaign = json.loads(write_campaign(study, make_key(study, 1)))
    assert campaign["info"] | {"instructions": ""} == {
        "assignment": "task-based",
        "protocol": "DA",
        "users": ["anna", "ravi"],
        "instructions": "",
    }
    assert len(campaign["data"]) == 2
    item = campaign["data"][0][0][0]
    assert set(item) == {"item_id", "src", "tgt"}
    assert set(item["tgt"]) == {"A", "B"}
    assert study.code in campaign["campaign_id"]


def test_a_campaign_of_adequacy_and_fluency_has_sliders():
    study = design(protocol="adequacy-fluency")
    info = json.loads(write_campaign(study, make_key(study, 1)))["info"]
    assert info["sliders"] == [
        {"name": "adequacy", "min": 1, "max": 5, "step": 1},
        {"name": "fluency", "min": 1, "max": 5, "step": 1},
    ]


def test_a_campaign_never_begins_a_text_as_html_that_pearmut_would_show():
    study = poisoned_study("da")
    for document in documents(study, make_key(study, 1)):
        for item in document:
            texts = [item["src"], *item["tgt"].values()]
            assert not any(text.startswith("<img ") or "\x00" in text for text in texts)


@pytest.mark.parametrize("packed", [True, False], ids=["download", "log"])
def test_annotations_of_pearmut_become_ratings(packed):
    study = poisoned_study("esa")
    key = make_key(study, 1)
    spans = [{"severity": "minor"}, {"severity": "major"}, {"severity": "minor"}]
    log = pearmut_log(study, key, lambda _: response(error_spans=spans))
    content = "\n".join(log)
    if packed:
        content = json.dumps({"campaign": [json.loads(line) for line in log]})
    ratings = checked(read_annotations(content.encode(), "a.json"), study, key)
    assert len(ratings) == len(key.rows)
    assert ratings[0].values["a"] == {"score": 70.0, "minor": 2.0, "major": 1.0}
    assert ratings[0].seconds == 12.5


def test_the_last_submission_of_a_document_counts_and_a_reset_removes_it():
    study = design()
    key = make_key(study, 1)
    first = pearmut_log(study, key, lambda _: response(score=10))
    second = pearmut_log(study, key, lambda _: response(score=90))
    reset = json.dumps({"user_id": "1", "item_i": 3, "annotation": "__RESET__"})
    content = "\n".join([*first, *second, reset]).encode()
    ratings = checked(read_annotations(content, "a.jsonl"), study, key)
    assert len(ratings) == len(key.rows) - 1
    assert {each.values["old"]["score"] for each in ratings} == {90.0}


def test_scores_of_pearmut_become_ranks_with_ties():
    study = design(protocol="pairwise")
    key = make_key(study, 1)
    scores = {"A": 80, "B": 60}
    log = pearmut_log(study, key, lambda label: response(score=scores[label]))
    (rating, *_) = checked(read_annotations("\n".join(log).encode(), "a"), study, key)
    first = key.rows[0]
    assert rating.values[first.systems[0]]["rank"] == 1
    assert rating.values[first.systems[1]]["rank"] == 2


def test_an_untouched_text_field_means_that_nothing_was_corrected():
    study = design(protocol="post-editing")
    key = make_key(study, 1)
    log = pearmut_log(study, key, lambda _: response(score=None))
    ratings = checked(read_annotations("\n".join(log).encode(), "a"), study, key)
    (text,) = ratings[0].texts.values()
    assert text == key.rows[0].translations[0]
    (values,) = ratings[0].values.values()
    assert values["minutes"] == pytest.approx(12.5 / 60, abs=1e-4)


@pytest.mark.parametrize(
    "times", [[], [100.0], [100.0, 100.0], [100.0, 102.0]], ids=["none", "one", "0 s", "2 s"]
)
def test_a_correction_that_took_less_than_minutes_can_say_counts_as_the_least(times):
    study = design(protocol="post-editing")
    key = make_key(study, 1)
    log = []
    for line in pearmut_log(study, key, lambda _: response(score=None, textfield="better")):
        actions = [{"time": time, "action": "any"} for time in times]
        log.append(json.dumps(json.loads(line) | {"actions": actions}))
    ratings = checked(read_annotations("\n".join(log).encode(), "a"), study, key)
    assert len(ratings) == len(key.rows)
    assert {text for rating in ratings for text in rating.texts.values()} == {"better"}
    minutes = {fields["minutes"] for rating in ratings for fields in rating.values.values()}
    assert minutes == {0.05}


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_separator_of_lines_within_a_text_does_not_end_a_line_of_the_log(separator, end):
    study = design()
    key = make_key(study, 1)
    log = []
    for line in pearmut_log(study, key, lambda _: response()):
        entry = json.loads(line) | {"comment": f"see{separator}there"}
        # As Pearmut writes it: not escaped.
        log.append(json.dumps(entry, ensure_ascii=False))
    (rating, *others) = checked(read_annotations(end.join(log).encode(), "a.jsonl"), study, key)
    assert len(others) == len(key.rows) - 1
    assert rating.comment == f"see{separator}there"


def test_other_texts_than_were_given_to_pearmut_are_refused():
    study = design()
    key = make_key(study, 1)
    log = pearmut_log(study, key, lambda _: response())
    content = "\n".join(log).replace("sentence number", "phrase number").encode()
    found = check_lines(read_annotations(content, "a.jsonl"), study, [key])
    assert len(found.problems) == len(key.rows)
    assert "a.jsonl, entry 1, column 'source': the text was changed" in found.problems[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[1, 2", "not such JSON"),
        (b'{"annotation": 3}', "not annotations of Pearmut"),
        (b'{"annotation": [{"A": {"score": 1}}]}', "does not say which texts"),
        (b'{"annotation": [{"A": {"score": "x"}}], "item": [{"item_id": "a"}]}', "Pearmut"),
        (b"[" * 100_000, "not such JSON"),
        (b'{"campaign": 3}', "not such JSON"),
    ],
)
def test_damaged_annotations_are_refused(content, message):
    with pytest.raises(DataError, match=message):
        list(read_annotations(content, "a.json"))


def appraise_export(study, key, score="80", spans="[]"):
    """Write scores as Appraise exports them."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    for number, row in enumerate(key.rows):
        for label in labels_of(row):
            start = ["engtam0101", f"{row.id}-{label}", number, "TGT", "eng", "tam", score]
            middle = [f"{row.id}-{label}", "False", json.dumps(spans)]
            times = [100.0, 104.0]
            writer.writerow([*start, *(middle if study.protocol == "esa" else []), *times])
    return stream.getvalue().encode()


def test_an_item_of_appraise_has_one_translation():
    study = poisoned_study("da")
    key = make_key(study, 1)
    (task,) = json.loads(write_batches(study, key))
    assert task["task"] == {"batchNo": 1, "randomSeed": 0, "requiredAnnotations": 1}
    assert len(task["items"]) == 2 * len(key.rows)
    assert {item["itemType"] for item in task["items"]} == {"TGT"}
    numbers = [item["itemID"] for item in task["items"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all("+" not in item["targetID"] for item in task["items"])


def test_texts_are_escaped_for_the_page_of_appraise_that_takes_html():
    study = poisoned_study("esa")
    (task,) = json.loads(write_batches(study, make_key(study, 1)))
    texts = {item[key] for item in task["items"] for key in ("sourceText", "targetText")}
    assert "a &lt; b &amp; c" in texts
    assert not any("<" in text for text in texts)
    assert {item["isCompleteDocument"] for item in task["items"]} == {False}


def test_the_manifest_names_languages_and_accounts():
    study = design(protocol="esa", raters=("anna", "ravi"))
    manifest = json.loads(write_manifest(study, make_key(study, 1)))
    assert manifest["TASKS_TO_ANNOTATORS"] == [["eng", "tam", "uniform", 2, 2]]
    assert (manifest["TASK_TYPE"], manifest["TASK_OPTIONS"]) == ("Document", "ESA")


@pytest.mark.parametrize("protocol", ["da", "esa"])
def test_an_export_of_appraise_becomes_ratings(protocol):
    study = design(protocol=protocol)
    key = make_key(study, 1)
    content = appraise_export(study, key, spans='[{"severity": "major"}]')
    assert is_export(content, "scores.csv")
    ratings = checked(read_export(content, "scores.csv"), study, key)
    assert len(ratings) == len(key.rows)
    assert ratings[0].values["new"]["score"] == 80.0
    assert ratings[0].values["new"].get("major") == (1.0 if protocol == "esa" else None)
    assert ratings[0].seconds == 8.0


def test_a_score_of_appraise_outside_its_range_is_refused():
    study = design()
    key = make_key(study, 1)
    found = check_lines(read_export(appraise_export(study, key, "-1"), "s.csv"), study, [key])
    assert "s.csv, row" in found.problems[0]
    assert "-1 is not from 0 to 100" in found.problems[0]


@pytest.mark.parametrize("time", ["nan", "inf", "1e309", "1e308"])
def test_times_of_appraise_that_are_not_seconds_are_refused(time):
    line = ["u", "bcdf-A", "TGT", "1", "eng", "tam", "70", "1", time]
    with pytest.raises(DataError, match=r"line 1: the times .* are not times in seconds"):
        list(read_export(",".join(line).encode(), "scores.csv"))


def test_error_spans_of_appraise_that_are_nested_too_deeply_are_refused():
    line = ["u", "bcdf-A", "TGT", "1", "eng", "tam", "70", "doc", "False", "[" * 100_000, "1", "2"]
    with pytest.raises(DataError, match="line 1: the error spans are not JSON"):
        list(read_export(",".join(line).encode(), "scores.csv"))


@pytest.mark.parametrize("time", ["NaN", "Infinity", "1e309"])
def test_times_of_pearmut_that_are_not_finite_are_refused(time):
    study = design()
    (line, *_) = pearmut_log(study, make_key(study, 1), lambda _: response())
    with pytest.raises(DataError, match=r"not annotations of Pearmut: actions.*finite number"):
        read_annotations(line.replace("112.5", time).encode(), "log.json")


def test_ranks_do_not_go_to_appraise():
    study = design(protocol="pairwise")
    with pytest.raises(InputError, match="--format appraise"):
        write_batches(study, make_key(study, 1))
