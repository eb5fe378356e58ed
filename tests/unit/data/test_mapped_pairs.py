"""Prepared pairs that are read in any order."""

from pathlib import Path

import pyarrow as pa
import pytest

from nmt.data.prepared_rows import MappedPairs
from nmt.data.saved import SCHEMA, write_split, write_split_names
from nmt.errors import DataError
from nmt.text.pair import Pair


def write(folder: Path, batches: list[list[str]]) -> None:
    """Write pairs of each text and the same text in brackets."""
    records = [
        pa.record_batch(
            [
                pa.array(texts),
                pa.array([f"[{text}]" for text in texts]),
                pa.array([""] * len(texts)),
                pa.array([0] * len(texts), pa.uint8()),
            ],
            schema=SCHEMA,
        )
        for texts in batches
    ]
    write_split(folder, "train", records)
    write_split_names(folder, ["train"])


def test_a_pair_is_found_by_its_place_over_all_batches(tmp_path):
    write(tmp_path, [["a", "b"], [], ["c"], ["d", "e", "f"]])
    pairs = MappedPairs(tmp_path, "train")
    assert len(pairs) == 6
    found = [pairs.pair(row) for row in (5, 0, 2, 1, 3, 4)]
    assert found == [Pair(text, f"[{text}]") for text in "facbde"]


def test_chunks_hold_all_pairs_in_order(tmp_path):
    write(tmp_path, [["a", "b"], ["c"], ["d", "e", "f"]])
    chunks = list(MappedPairs(tmp_path, "train").chunks(2))
    assert [rows.sources for rows in chunks] == [["a", "b"], ["c"], ["d", "e"], ["f"]]


def test_a_place_beyond_the_last_pair_is_refused(tmp_path):
    write(tmp_path, [["a"]])
    with pytest.raises(IndexError):
        MappedPairs(tmp_path, "train").pair(1)


def test_a_split_that_is_missing_is_named(tmp_path):
    write(tmp_path, [["a"]])
    with pytest.raises(DataError, match="no split 'test'; it holds train"):
        MappedPairs(tmp_path, "test")
