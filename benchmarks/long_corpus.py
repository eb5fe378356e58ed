"""Prepared pairs of any number and a tiny model, for measurements of a training's start."""

import json
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from nmt.config import Config, load_config
from nmt.models.tiny import build_model, build_tokenizer
from nmt.phrasebook import general_pairs
from nmt.runs import layout
from nmt.storage import Storage


def write_model(folder: Path) -> None:
    """Write a tiny model with a vocabulary of its own."""
    lines = (text for pair in general_pairs(8000, 1) for text in (pair.source, pair.target))
    tokenizer = build_tokenizer(lines, "eng_Latn", "tam_Taml", 8000)
    tokenizer.save_pretrained(folder / "model")
    build_model(tokenizer, seed=1).save_pretrained(folder / "model")


def write_corpus(folder: Path, pairs: int) -> None:
    """Write prepared pairs of about 20 words a side."""
    config = config_of(pairs)
    with Storage(str(folder)).commit(layout.pairs(config.run)) as commit:
        _write_split(commit, "train", sentences(pairs, 1))
        _write_split(commit, "validation", sentences(500, 2))
        names = {"splits": ["train", "validation"]}
        (commit / "dataset/dataset_dict.json").write_text(json.dumps(names), encoding="utf-8")


def sentences(pairs: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield pairs, each of three sentences of the phrasebook."""
    drawn, draw = general_pairs(8000, 1), random.Random(seed)
    for _ in range(pairs):
        three = draw.sample(drawn, 3)
        yield " ".join(p.source for p in three), " ".join(p.target for p in three)


def _write_split(folder: Path, name: str, pairs: Iterator[tuple[str, str]]) -> None:
    split = folder / "dataset" / name
    split.mkdir(parents=True)
    schema = pa.schema([("source", pa.string()), ("target", pa.string())])
    with ipc.new_stream(str(split / "data.arrow"), schema) as stream:
        while part := list(islice(pairs, 10_000)):
            columns = [pa.array(side) for side in zip(*part, strict=True)]
            stream.write_batch(pa.record_batch(columns, schema))
    state = {"_data_files": [{"filename": "data.arrow"}]}
    (split / "state.json").write_text(json.dumps(state), encoding="utf-8")


def config_of(pairs: int) -> Config:
    """Return the settings of a run with this number of pairs."""
    return load_config([], [f"run=of-{pairs}", "training.log_every_seconds=3600"])
