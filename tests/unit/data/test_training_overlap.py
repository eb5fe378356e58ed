"""Sentences of a test set that are like a training pair are found after the training."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from nmt.config import DataConfig
from nmt.config import TestSetConfig as NamedSet
from nmt.data import training_overlap
from nmt.data.prepare import prepare
from nmt.data.saved import load_pairs
from nmt.data.test_sets import TestSet, read_test_set
from nmt.data.training_overlap import find_overlaps, is_screened
from nmt.runs.results import ScreenedSet
from nmt.text.pair import Pair
from tests.support.sentences import distinct_pairs

PAIRS = distinct_pairs(400)
CHANGES = (
    lambda text: text,
    lambda text: f"  {text.upper()}!",
    lambda text: text.replace(" ", " \u200b", 1),
    lambda text: f"{text[:-1]}s.",
    lambda text: f"{text[:8]}{text[9:]}",
)
"""What leaves a sentence equal or similar."""


def write(path: Path, pairs: Sequence[Pair]) -> str:
    rows = ({"en": pair.source, "ta": pair.target} for pair in pairs)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def planted() -> list[Pair]:
    """Make a test set of which every second sentence is like a training pair."""
    pairs = distinct_pairs(440)[400:]
    # Different ones: a training pair is dropped for one sentence only.
    known = random.Random(3).sample(PAIRS, len(pairs))
    for number in range(0, len(pairs), 2):
        change = CHANGES[number // 2 % len(CHANGES)]
        source, target = pairs[number].source, pairs[number].target
        pairs[number] = (
            Pair(change(known[number].source), target)
            if number % 3
            else Pair(source, change(known[number].target))
        )
    return pairs


@pytest.mark.parametrize("at_once", [50_000, 150])
def test_the_sentences_are_those_for_which_prepare_would_have_dropped_a_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(training_overlap, "PAIRS_AT_ONCE", at_once)
    data = DataConfig.model_validate(
        {
            "path": write(tmp_path / "x.jsonl", PAIRS),
            "validation_fraction": 0, "test_fraction": 0, "cleaning": {"max_similarity": 0.7},
        }
    )  # fmt: skip
    pairs = planted()
    named = NamedSet(path=write(tmp_path / "set.jsonl", pairs))
    test_set = read_test_set("news", named, data)
    prepare(data, 1, tmp_path / "out")
    found = find_overlaps([test_set], tmp_path / "out", data)["news"]
    # Each sentence is a set of its own, so that the audit names those that pairs were dropped for.
    alone = {
        f"s{number}": NamedSet(path=write(tmp_path / f"{number}.jsonl", [pair]))
        for number, pair in enumerate(pairs)
    }
    prepare(data, 1, tmp_path / "again", sets=alone)
    dropped = parquet.read_table(tmp_path / "again" / "dropped.parquet")["value"].to_pylist()
    assert {f"s{number}" for number in np.flatnonzero(found)} == set(dropped)
    assert 15 <= found.sum() < 25


def test_sets_are_compared_in_one_pass_each_in_its_languages(tmp_path: Path) -> None:
    data = DataConfig(path=write(tmp_path / "x.jsonl", PAIRS), test_fraction=0)
    prepare(data, 1, tmp_path / "out")
    backward = TestSet(
        "backward", (PAIRS[0].target, "வேறு"), (("Other.", "Other."),), "tam_Taml", "eng_Latn"
    )
    hindi = TestSet("hindi", ("New.", PAIRS[1].source), (("पाठ", "पाठ"),), "eng_Latn", "hin_Deva")
    german = TestSet("german", (PAIRS[2].source,), (("Texte",),), "deu_Latn", "fra_Latn")
    second = TestSet("second", ("New.", "New."), (("அ", "அ"), ("இ", PAIRS[3].target)), "eng_Latn",
                     "tam_Taml")  # fmt: skip
    found = find_overlaps([backward, hindi, german, second], tmp_path / "out", data)
    assert {name: mask.tolist() for name, mask in found.items()} == {
        "backward": [True, False],
        "hindi": [False, True],
        "german": [False],
        "second": [False, True],
    }


def test_each_corpus_has_the_similarity_of_its_own_cleaning(tmp_path: Path) -> None:
    corpora = {
        "strict": {
            "path": write(tmp_path / "a.jsonl", PAIRS[:200]),
            "cleaning": {"max_similarity": 1},
        },
        "usual": {"path": write(tmp_path / "b.jsonl", PAIRS[200:])},
    }
    data = DataConfig.model_validate(
        {"corpora": corpora, "test_fraction": 0, "validation_fraction": 0}
    )
    prepare(data, 1, tmp_path / "out")
    sources = tuple(f"{PAIRS[number].source[:-1]}s." for number in (0, 300))
    test_set = TestSet("news", sources, (("அ", "இ"),), "eng_Latn", "tam_Taml")
    found = find_overlaps([test_set], tmp_path / "out", data)["news"]
    assert found.tolist() == [False, True]


def test_the_everyday_sentences_of_the_phrasebook_count_as_training(tmp_path: Path) -> None:
    data = DataConfig.model_validate({"phrasebook": {"general_pairs": 200, "domain_pairs": 100}})
    prepare(data, 1, tmp_path / "out")
    splits = ("train", "general_train", "test")
    pairs = [load_pairs(tmp_path / "out", split)[0] for split in splits]
    sources, targets = (
        tuple(side) for side in zip(*((p.source, p.target) for p in pairs), strict=True)
    )
    test_set = TestSet("news", sources, (targets,), "eng_Latn", "tam_Taml")
    found = find_overlaps([test_set], tmp_path / "out", data)["news"]
    assert found.tolist() == [True, True, False]


def test_a_set_is_screened_if_prepare_compared_these_sentences() -> None:
    test_set = TestSet("news", ("a",), (("b",),), "eng_Latn", "tam_Taml")
    assert is_screened(test_set, ScreenedSet(pairs=1, digest=test_set.digest))
    assert not is_screened(test_set, ScreenedSet(pairs=1, digest="0" * 64))
    assert not is_screened(test_set, None)
