"""One small world for the training tests: prepared phrasebook, tiny untrained model."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from nmt.config import Config, load_config
from nmt.data.prepare import prepare
from nmt.data.saved import load_pairs
from nmt.models.sources.source import ModelSource
from nmt.models.tiny import build_model, build_tokenizer
from nmt.runs import layout
from nmt.storage import Storage
from nmt.training.job import TrainingJob
from nmt.training.saved.checkpoints import PARAMETERS
from nmt.training.trainer import run_training

SETTINGS = [
    "run=small",
    "data.phrasebook.general_pairs=200",
    "data.phrasebook.domain_pairs=120",
    "data.validation_fraction=0.1",
    "data.test_fraction=0.1",
    "training.max_steps=8",
    "training.warmup_steps=2",
    "training.learning_rate=3e-3",
    "training.micro_batch_tokens=256",
    "training.evaluate_every_steps=4",
    "training.validation_sentences=4",
    "training.log_every_seconds=60",
    "adapter.rank=4",
    "adapter.dropout=0.1",
]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def config() -> Config:
    return load_config([], SETTINGS)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Path:
    """A storage root with prepared data and a base; tests only read it."""
    root = tmp_path_factory.mktemp("prepared")
    storage = Storage(str(root))
    with storage.commit("small/data/pairs") as folder:
        prepare(config.data, config.seed, folder)
    pairs = load_pairs(root / "small/data/pairs", "general_train")
    tokenizer = build_tokenizer(
        (text for pair in pairs for text in (pair.source, pair.target)),
        config.data.source_language,
        config.data.target_language,
        400,
    )
    tokenizer.save_pretrained(root / "initial")
    build_model(tokenizer, seed=1).save_pretrained(root / "initial")
    full = config.with_overrides(
        {"adapter.type": "none", "training.max_steps": 60, "training.evaluate_every_steps": 60}
    )
    run_training(
        TrainingJob(
            config=full,
            storage=storage,
            folder="small/base",
            base=ModelSource(str(root / "initial")),
            data="small/data/pairs",
            train_split="general_train",
            replay_split=None,
        )
    )
    (root / "base").symlink_to(root / layout.published_weights("small/base"))
    return root


def job_below(root: Path, prepared: Path, config: Config) -> TrainingJob:
    """A LoRA training of eight steps in a storage root of its own."""
    (root / "small").mkdir()
    (root / "small/data").symlink_to(prepared / "small/data")
    return TrainingJob(
        config=config,
        storage=Storage(str(root)),
        folder="small/train",
        base=ModelSource(str(prepared / "base")),
        data="small/data/pairs",
    )


@pytest.fixture
def job(prepared: Path, config: Config, tmp_path: Path) -> TrainingJob:
    return job_below(tmp_path, prepared, config)


@pytest.fixture(scope="session")
def trained(
    prepared: Path, config: Config, tmp_path_factory: pytest.TempPathFactory
) -> TrainingJob:
    """That training, run to its end; tests only read what it made."""
    job = job_below(tmp_path_factory.mktemp("trained"), prepared, config)
    run_training(job)
    return job


def checkpoint_weights(job: TrainingJob, step: int) -> dict[str, torch.Tensor]:
    """What was trained, as the checkpoint of a step holds it."""
    folder = Path(job.storage.locate(f"{job.folder}/checkpoints/step-{step:08d}"))
    return load_file(folder / PARAMETERS)


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Whether names and values are equal, bit for bit."""
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)
