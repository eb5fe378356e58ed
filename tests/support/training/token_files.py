"""The files of tokenized training data, for tests that look into them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmt.models.tokenization.saved_tokens import TokenWriter
from nmt.runs import layout
from nmt.runs.steps import PREPARE
from nmt.training.job import TrainingJob
from nmt.training.loading import LoadedTraining


@pytest.fixture
def own_job(job: TrainingJob, prepared: Path) -> TrainingJob:
    """The small training in a run whose prepared data belongs to the test."""
    data = Path(job.storage.locate("small/data"))
    data.unlink()
    data.mkdir()
    (data / "pairs").symlink_to(prepared / "small/data/pairs")
    return job


def token_folders(job: TrainingJob) -> list[Path]:
    folder = Path(job.storage.locate(layout.step_folder("small", PREPARE))) / "tokens"
    return sorted(path for path in folder.glob("*") if path.is_dir())


def same_rows(first: LoadedTraining, second: LoadedTraining) -> bool:
    return all(
        np.array_equal(a.ids, b.ids) and np.array_equal(a.offsets, b.offsets)
        for a, b in (
            (first.pairs.source, second.pairs.source),
            (first.pairs.target, second.pairs.target),
        )
    )


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of pairs of each chunk that is tokenized."""
    chunks: list[int] = []
    add = TokenWriter.add

    def noted(writer: TokenWriter, rows: Any) -> None:
        chunks.append(len(rows.sources))
        add(writer, rows)

    monkeypatch.setattr(TokenWriter, "add", noted)
    return chunks
