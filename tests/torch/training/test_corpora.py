"""Corpora with tags and weights in a training."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from pyarrow import ipc

from nmt.data.prepared_rows import first_pairs, read_rows
from nmt.data.saved import count_rows
from nmt.errors import DataError
from nmt.training.job import TrainingJob
from nmt.training.loading import load_material
from nmt.training.trainer import run_training
from tests.support.training.small_training import checkpoint_weights, same
from tests.support.training.token_files import token_folders

CPU = torch.device("cpu")
CORPORA = {
    "data.corpora.clinic.path": "clinic.tsv",
    "data.corpora.back.path": "back.tsv",
    "data.corpora.back.tag": "<bt>",
}
TRAIN = [
    ("We go home.", "நாங்கள் வீட்டுக்குப் போகிறோம்.", "clinic"),
    ("The doctor is here.", "மருத்துவர் இங்கே இருக்கிறார்.", "back"),
    ("Take this medicine.", "இந்த மருந்தை எடுத்துக்கொள்.", "clinic"),
    ("Come tomorrow.", "நாளை வா.", "back"),
]


@pytest.fixture
def mixed(own_job: TrainingJob) -> TrainingJob:
    """A training on prepared pairs of two corpora, one of them with a tag."""
    job = own_job
    data = Path(job.storage.locate("small/data"))
    (data / "pairs").unlink()
    with job.storage.commit(job.data) as folder:
        write_split(folder, "train", TRAIN)
        write_split(folder, "validation", TRAIN[:2])
        write_json = '{"splits": ["train", "validation"]}'
        (folder / "dataset/dataset_dict.json").write_text(write_json, encoding="utf-8")
    return replace(job, config=job.config.with_overrides(CORPORA))


def write_split(folder: Path, name: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """Write a split with the names of its corpora, as `prepare` does."""
    split = folder / "dataset" / name
    split.mkdir(parents=True)
    batch = pa.record_batch(
        [pa.array(column) for column in zip(*rows, strict=True)], ["source", "target", "corpus"]
    )
    with ipc.new_stream(str(split / "data.arrow"), batch.schema) as stream:
        stream.write_batch(batch)
    state = '{"_data_files": [{"filename": "data.arrow"}]}'
    (split / "state.json").write_text(state, encoding="utf-8")


def test_a_tag_is_put_before_the_sources_of_its_corpus_only(mixed: TrainingJob) -> None:
    material = load_material(mixed, CPU)
    read = [material.pairs.source.row(row) for row in range(4)]
    sources = [f"<bt> {source}" if name == "back" else source for source, _, name in TRAIN]
    assert read == material.codec.encode_sources(sources)
    assert [pair.source for pair in material.validation] == [source for source, *_ in TRAIN[:2]]


def test_another_tag_makes_other_tokens(mixed: TrainingJob) -> None:
    load_material(mixed, CPU)
    config = mixed.config.with_overrides({"data.corpora.back.tag": "<back>"})
    load_material(replace(mixed, config=config), CPU)
    assert len(token_folders(mixed)) == 2


def test_corpora_are_used_by_their_weights(mixed: TrainingJob, counted: list[int]) -> None:
    load_material(mixed, CPU)
    counted.clear()
    weights = {"data.corpora.clinic.weight": 3, "data.corpora.back.weight": 0.5}
    material = load_material(replace(mixed, config=mixed.config.with_overrides(weights)), CPU)
    rows = [int(r) for step in material.plan.epoch(0) for batch in step for r in batch]
    assert sorted(rows) in ([0, 0, 0, 1, 2, 2, 2], [0, 0, 0, 2, 2, 2, 3])
    assert not counted  # the weights do not change the tokens


def test_corpora_of_equal_weight_need_no_mix(mixed: TrainingJob) -> None:
    assert load_material(mixed, CPU).plan.mix is None


def test_a_weighted_training_resumes_bit_for_bit(
    mixed: TrainingJob, quick_validation: None
) -> None:
    config = mixed.config.with_overrides({"data.corpora.back.weight": 0.5})
    weighted = replace(mixed, config=config)
    complete = replace(weighted, folder="small/complete")
    run_training(complete)
    run_training(replace(weighted, stop_at_step=3))
    run_training(weighted)
    assert same(checkpoint_weights(weighted, 8), checkpoint_weights(complete, 8))


def test_rows_are_read_in_chunks_with_their_corpora(mixed: TrainingJob) -> None:
    folder = mixed.storage.fetch(mixed.data)
    chunks = list(read_rows(folder, "train", 3))
    assert [len(chunk.sources) for chunk in chunks] == [3, 1]
    assert [name for chunk in chunks for name in chunk.corpora or ()] == [row[2] for row in TRAIN]
    assert count_rows(folder, "train") == 4
    assert [pair.target for pair in first_pairs(folder, "train", 3)] == [r[1] for r in TRAIN[:3]]


def test_a_split_that_does_not_exist_is_refused(mixed: TrainingJob) -> None:
    with pytest.raises(DataError, match="no split 'other'"):
        first_pairs(mixed.storage.fetch(mixed.data), "other", 3)
