"""Test pairs of the user, which `prepare` keeps as they are and out of the training."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from nmt.config import DataConfig
from nmt.config import TestSetConfig as NamedSet
from nmt.data.prepare import prepare
from nmt.data.saved import load_pairs
from nmt.data.test_sets import held_out_set
from nmt.errors import DataError
from nmt.text.pair import Pair
from tests.support.sentences import distinct_pairs

PAIRS = distinct_pairs(120)
ODD = [
    Pair("  Two  spaces, <b>tags</b> &amp; a soft\xadhyphen ", "  இரண்டு\u200b "),
    Pair("Same.", "அதே."),
    Pair("Same.", "அதே."),
    Pair("", ""),
    Pair("A source without a reference.", ""),
    Pair("word " * 600, "சொல் " * 600),
    Pair("உரை", "text in the wrong script"),
    Pair("e\u0301", "கொ"),
]
"""Pairs that cleaning would change or drop."""


def write(path: Path, pairs: Sequence[Pair]) -> str:
    rows = ({"en": pair.source, "ta": pair.target} for pair in pairs)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_given_test_pairs_are_stored_as_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = DataConfig(
        path=write(tmp_path / "x.jsonl", PAIRS),
        test_path=write(tmp_path / "t.jsonl", [*ODD, PAIRS[0]]),
    )
    report = prepare(data, 1, tmp_path / "out")
    assert load_pairs(tmp_path / "out", "test") == [*ODD, PAIRS[0]]
    assert report.given == ("test",)
    counts = report.inputs["test"]
    assert (counts.read, counts.kept, counts.dropped) == (9, 9, {})
    assert report.flagged["test"] == {"empty_side": 2, "would_be_dropped": 3}
    assert "since it is a test set: 2 empty_side, 3 would_be_dropped" in caplog.text
    test_set = held_out_set("test", tmp_path / "out", "test", data)
    assert test_set.sources == tuple(pair.source for pair in [*ODD, PAIRS[0]])
    assert test_set.domains is None


def test_the_test_split_of_a_data_set_is_stored_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / "train.jsonl", PAIRS)
    write(folder / "dev.jsonl", ODD[1:3])
    (folder / "test.tsv").write_text("en\tta\n a \t அ\n\t\nb\rc\tஆ\n\n", newline="")
    report = prepare(DataConfig(path=str(folder)), 1, tmp_path / "out")
    assert load_pairs(tmp_path / "out", "test") == [
        Pair(" a ", " அ"),
        Pair("", ""),
        Pair("b\rc", "ஆ"),
    ]
    assert report.sizes["validation"] == 1
    assert report.given == ("test",)


def test_a_test_split_without_references_is_refused_with_the_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / "train.jsonl", PAIRS)
    write(folder / "test.jsonl", [Pair("a", ""), Pair("b", "")])
    with pytest.raises(DataError, match=r"test split .* in 2 rows: set data\.test_path"):
        prepare(DataConfig(path=str(folder)), 1, tmp_path / "out")


def test_several_references_of_a_test_split_are_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"en": "a", "ta": ["1", "2"]}\n')
    path = write(tmp_path / "x.jsonl", PAIRS)
    with pytest.raises(DataError, match=r"line 1: .* 2 references: name the file below evaluation"):
        prepare(DataConfig(path=path, test_path=str(tmp_path / "t.jsonl")), 1, tmp_path / "out")


def test_a_split_that_is_held_out_is_not_given(tmp_path: Path) -> None:
    report = prepare(DataConfig(path=write(tmp_path / "x.jsonl", PAIRS)), 1, tmp_path / "out")
    assert report.given == ()


def test_a_damaged_test_row_is_refused_whatever_the_training_pairs_may_skip(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("en\tta\na\tஅ\nonly one\n")
    data = DataConfig(
        path=write(tmp_path / "x.jsonl", PAIRS), test_path=str(tmp_path / "t.tsv"), max_bad_rows=5
    )
    with pytest.raises(DataError, match=r"t.tsv, line 3: .*scored whole, so correct the row"):
        prepare(data, 1, tmp_path / "out")


def test_training_pairs_like_a_test_pair_as_it_would_be_cleaned_are_dropped(tmp_path: Path) -> None:
    near = f"{PAIRS[1].source[:-1]} again."
    test = [
        Pair(f" <b>{PAIRS[0].source}</b>", "வேறு"),
        Pair("Other.", PAIRS[5].target.replace(" ", "  ")),
        Pair(near.replace(" ", " \u200b "), "வேறு ஒன்று"),
    ]
    more = [*PAIRS, *distinct_pairs(300)[120:]]
    data = DataConfig.model_validate(
        {
            "path": write(tmp_path / "x.jsonl", more),
            "test_path": write(tmp_path / "t.jsonl", test),
            "cleaning": {"max_similarity": 0.6},
        }
    )
    prepare(data, 1, tmp_path / "out")
    left = {pair.source for pair in load_pairs(tmp_path / "out", "train")}
    assert not left & {PAIRS[0].source, PAIRS[5].source, PAIRS[1].source}


NAMED: dict[str, tuple[Mapping[str, str], Pair, int]] = {
    "same": ({}, Pair(PAIRS[0].source, "வேறு"), 1),
    "reversed": ({"source_language": "ta", "target_language": "en"}, PAIRS[0], 1),
    "source": ({"target_language": "hi"}, Pair(PAIRS[0].source, "पाठ"), 1),
    "target": ({"source_language": "hi"}, Pair("पाठ", PAIRS[0].target), 1),
    "none": ({"source_language": "de", "target_language": "fr"}, Pair("Text", "Texte"), 0),
}


@pytest.mark.parametrize("case", NAMED)
def test_a_named_set_is_compared_in_the_languages_that_it_shares(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    languages, pair, leaks = NAMED[case]
    if case == "reversed":
        pair = Pair(pair.target, pair.source)
    (tmp_path / "set.tsv").write_text(f"{pair.source}\t{pair.target}\n")
    settings = {"path": str(tmp_path / "set.tsv"), "source_column": "1", "target_column": "2"}
    sets = {"news": NamedSet.model_validate({**settings, **languages})}
    data = DataConfig(path=write(tmp_path / "x.jsonl", PAIRS))
    with caplog.at_level(logging.INFO):
        report = prepare(data, 1, tmp_path / "out", sets=sets)
    found = report.inputs["train"].dropped.get("leak")
    assert (found.count if found else 0) == leaks
    assert report.screened["news"].pairs == 1
    assert ("shares" in caplog.text) == (case not in {"same", "reversed"})


def test_every_reference_of_a_named_set_is_compared(tmp_path: Path) -> None:
    (tmp_path / "s.en").write_text("One other sentence.\n")
    targets = [tmp_path / "1.ta", tmp_path / "2.ta"]
    for path, text in zip(targets, ("வேறு", PAIRS[3].target), strict=True):
        path.write_text(f"{text}\n")
    settings = {"path": str(tmp_path / "s.en"), "target_path": [str(path) for path in targets]}
    data = DataConfig(path=write(tmp_path / "x.jsonl", PAIRS))
    report = prepare(data, 1, tmp_path / "out", sets={"news": NamedSet.model_validate(settings)})
    assert report.inputs["train"].dropped["leak"].count == 1


def test_a_named_set_with_validation_sentences_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sets = {"news": NamedSet(path=write(tmp_path / "set.jsonl", PAIRS[:4]))}
    data = DataConfig(
        path=write(tmp_path / "x.jsonl", PAIRS),
        validation_path=write(tmp_path / "v.jsonl", PAIRS[2:9]),
    )
    prepare(data, 1, tmp_path / "out", sets=sets)
    assert "2 of 4 pairs of the test set 'news' share a sentence with the validation" in caplog.text
