"""One private Ray for the tests of this folder that do not start their own."""

from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest

from nmt.config import Config, LoadedConfig, load_with_user_set
from nmt.storage import Storage
from ray_jobs import base, prepare
from ray_jobs.runtime.connection import connect
from ray_jobs.runtime.context import Session
from tests.support.runs.small_run import SMALL_RUN

SMALL = [
    *SMALL_RUN,
    "training.max_steps=12",
    "training.learning_rate=3e-3",
    "training.schedule=constant",
    "training.validation_sentences=4",
    "tune.trials=3",
    "tune.max_steps=8",
    "tune.grace_steps=4",
    "tune.space={adapter.rank: {type: choice, values: [2, 4]}}",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def loaded(root: Path) -> LoadedConfig:
    return load_with_user_set([], [*SMALL, f"storage={root}"])


@pytest.fixture(scope="module")
def config(loaded: LoadedConfig) -> Config:
    return loaded.config


@pytest.fixture(scope="module")
def session(loaded: LoadedConfig, root: Path) -> Session:
    """A run that has not begun."""
    return Session(loaded.config, Storage(str(root)), loaded.user_set)


@pytest.fixture(scope="module")
def prepared(
    config: Config, session: Session, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Session]:
    """A run with data and base, and a Ray that stays for the module's tests.

    The command stands in a folder with a module that its workers import by the same name.
    """
    folder = tmp_path_factory.mktemp("user")
    (folder / "datasets.py").write_text("raise ImportError('a file of the user')")
    two_workers = config.with_overrides({"strategy.type": "ddp", "scaling.workers": 2})
    with chdir(folder), connect(two_workers):
        prepare.run(session)
        base.run(session)
        yield session


def branch(session: Session, name: str, **overrides: object) -> Session:
    """Another run on the same data and base, so that a test starts where those end."""
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    dotted["run"] = name
    config = session.config.with_overrides(dotted)
    root = Path(session.storage.locate(""))
    (root / name).mkdir()
    for folder in ("data", "base"):
        (root / name / folder).symlink_to(root / session.config.run / folder)
    return replace(session, config=config, user_set=session.user_set | dotted.keys())
