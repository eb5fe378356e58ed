"""Rows of a batch: drawn once, blind, with repeats and degraded translations among them."""

import json
import re
from dataclasses import replace

import pytest

from nmt.errors import InputError
from nmt.ratings.batches import make_key
from nmt.ratings.design import check_name
from nmt.ratings.protocols import PROTOCOLS
from nmt.ratings.sheets.files import batch_files
from nmt.ratings.sheets.formats import FORMATS
from tests.support.ratings.studies import design, outputs


def test_a_batch_goes_on_where_the_one_before_it_has_ended():
    study = design()
    rated = [
        {row.segment for row in make_key(study, batch).rows if row.kind == "rating"}
        for batch in (1, 2)
    ]
    assert rated == [set(range(20)), set(range(20, 40))]


def test_the_order_depends_on_the_seed_alone():
    numbers = [segment.number for segment in design().segments]
    assert numbers == [segment.number for segment in design().segments]
    assert numbers != sorted(numbers)


def test_equal_translations_are_not_rated():
    study = design(outputs(40, same=15))
    assert len(study.segments) == 25
    assert study.share_differing == 25 / 40
    assert all(len(set(segment.translations)) == 2 for segment in study.segments)


def test_systems_that_translate_all_alike_cannot_be_rated():
    with pytest.raises(InputError, match="alike"):
        design(outputs(10, same=10))


def test_the_last_batch_may_be_short_and_there_is_none_after_it():
    study = design(outputs(25))
    assert len(study.batch_segments(2)) == 5
    with pytest.raises(InputError, match="no batch 3"):
        make_key(study, 3)


def test_fewer_sentences_allow_fewer_looks():
    assert design(outputs(25), looks=6).looks == 2


def test_a_rater_gets_all_translations_of_a_sentence_and_all_raters_some():
    study = design(raters=("anna", "ravi"), shared=4)
    key = make_key(study, 1)
    own = [
        {row.segment for row in key.sheet(rater) if row.kind == "rating"} for rater in study.raters
    ]
    assert own[0] & own[1] == set(range(4))
    assert own[0] | own[1] == set(range(20))
    assert all(len(row.translations) == 2 for row in key.rows)


def test_labels_are_shuffled_row_by_row():
    first = {row.systems[0] for row in make_key(design(rows=40), 1).rows}
    assert first == {"old", "new"}


def test_a_sheet_has_repeats_and_degraded_rows_after_their_originals():
    study = design(outputs(80), rows=60)
    rows = make_key(study, 1).rows
    kinds = [row.kind for row in rows]
    assert kinds.count("repeat") == kinds.count("degraded") == 4
    places = {row.id: place for place, row in enumerate(rows)}
    for row in rows:
        if row.kind != "rating":
            assert places[row.original or ""] < places[row.id]
            assert rows[places[row.original or ""]].segment == row.segment


@pytest.mark.parametrize("systems", [("old", "new"), ("old", "new", "other")])
def test_a_repeat_shows_its_translations_in_another_order(systems):
    study = design(outputs(300, systems=systems), rows=300)
    rows = {row.id: row for row in make_key(study, 1).rows}
    repeats = [row for row in rows.values() if row.kind == "repeat"]
    assert len(repeats) == 21
    assert all(row.systems != rows[row.original or ""].systems for row in repeats)


def test_a_degraded_row_differs_from_its_original_in_one_translation():
    study = design(outputs(80), rows=60)
    rows = {row.id: row for row in make_key(study, 1).rows}
    for row in rows.values():
        if row.kind == "degraded":
            shown = dict(zip(row.systems, row.translations, strict=True))
            original = rows[row.original or ""]
            genuine = dict(zip(original.systems, original.translations, strict=True))
            assert {name for name in shown if shown[name] != genuine[name]} == {row.degraded}


def test_post_editors_of_a_shared_sentence_correct_different_systems():
    study = design(protocol="post-editing", raters=("anna", "ravi"), shared=10)
    rows = make_key(study, 1).rows
    for segment in range(10):
        assert {row.systems for row in rows if row.segment == segment} == {("old",), ("new",)}


def test_the_systems_of_post_edits_are_balanced_for_each_rater():
    study = design(protocol="post-editing", raters=("anna", "ravi"), shared=2)
    for rater in study.raters:
        systems = [row.systems for row in make_key(study, 1).sheet(rater)]
        assert abs(systems.count(("old",)) - systems.count(("new",))) <= 1


def test_ids_are_letters_that_no_spreadsheet_converts_and_change_with_the_nonce():
    ids = [{row.id for row in make_key(design(), 1).rows} for _ in range(2)]
    assert all(re.fullmatch("[b-df-hj-np-tw]{10}", each) for each in ids[0])
    assert not ids[0] & ids[1]


@pytest.mark.parametrize(
    ("kind", "protocol"),
    [
        (kind, protocol)
        for kind in FORMATS
        # Appraise has these two protocols alone.
        for protocol in (("da", "esa") if kind == "appraise" else PROTOCOLS)
    ],
)
def test_no_file_for_raters_tells_a_system_or_the_kind_of_a_row(kind, protocol):
    texts = {
        name: [f"{word} {place}" for place in range(40)]
        for name, word in (("zeppelin", "text"), ("quokka", "other"))
    }
    given = replace(outputs(), systems=texts, scores={})
    study = design(given, protocol=protocol)
    files = batch_files(study, make_key(study, 1), kind)
    for name, content in files.items():
        if kind != "xlsx":
            text = name + content.decode("utf-8")
            assert not re.search("zeppelin|quokka|degraded|repeat|BAD|news", text)


def test_raters_see_no_reference():
    study = design()
    content = batch_files(study, make_key(study, 1), "pearmut")["batch-1.pearmut.json"]
    items = [row for task in json.loads(content)["data"] for document in task for row in document]
    assert {frozenset(item) for item in items} == {frozenset({"item_id", "src", "tgt"})}


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"rows": 0}, "--rows 0"),
        ({"rows": 19}, "--rows 19: must be at least 20 where ratings decide"),
        ({"looks": 21}, "--looks 21"),
        ({"gain": 0.0}, "--gain 0"),
        ({"gain": 3.0, "protocol": "post-editing"}, "--gain"),
        ({"raters": ("a", "A")}, "--raters"),
        ({"raters": ("../x",)}, "--raters"),
        ({"shared": 21, "raters": ("a", "b")}, "--shared 21"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_by_name(wishes, message):
    with pytest.raises(InputError, match=message):
        design(**wishes)


@pytest.mark.parametrize(
    ("systems", "protocol"), [(("a", "b", "c"), "da"), (("a", "b"), "post-editing")]
)
def test_a_study_that_decides_nothing_may_have_small_batches(systems, protocol):
    assert design(outputs(systems=systems), protocol=protocol, rows=5).gain is None


def degraded_texts(constant):
    """Return each degraded text with its original, where the system `old` always says the same."""
    texts = {"old": [constant] * 40, "new": [f"new words of text number {at}" for at in range(40)]}
    rows = make_key(design(replace(outputs(), systems=texts)), 1).rows
    by_id = {row.id: row for row in rows}
    for row in rows:
        if row.kind == "degraded":
            original = by_id[row.original or ""]
            place = original.systems.index(row.degraded or "")
            yield (
                row.translations[row.systems.index(row.degraded or "")],
                original.translations[place],
            )


@pytest.mark.parametrize("constant", ["", "Thanks."])
def test_a_degraded_translation_differs_also_where_a_system_always_says_the_same(constant):
    pairs = [pair for _ in range(10) for pair in degraded_texts(constant)]
    assert len(pairs) == 10
    assert all(shown.split() != original.split() for shown, original in pairs)
    assert all(original for _, original in pairs)


def test_a_control_that_cannot_be_made_is_left_out():
    given = replace(outputs(), systems={"old": ["yes"] * 40, "new": ["no"] * 40})
    kinds = [row.kind for row in make_key(design(given), 1).rows]
    assert (kinds.count("repeat"), kinds.count("degraded")) == (1, 0)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".x", "a.", "x" * 64, "a b"])
def test_a_name_that_cannot_be_one_of_a_file_is_refused(name):
    with pytest.raises(InputError, match="--name"):
        check_name("--name", name)
