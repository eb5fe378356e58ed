"""A reader for data sets of the Hugging Face hub."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.rows import Row
from nmt.data.formats.tables.records import Record, RecordReader
from nmt.data.formats.tables.values import check_values
from nmt.errors import DataError, UnavailableError
from nmt.network.hub import hub_error

if TYPE_CHECKING:
    from datasets import Dataset


def read_hub(corpus: Corpus) -> dict[str, Iterator[Row]]:
    """Load a data set from the hub or from the cache.

    Returns:
        The pairs of each split, under the names of the data set.

    Raises:
        DataError: the data set cannot be read.
        UnavailableError: the hub cannot be reached, and the data set is not in the cache.
    """
    with quiet():
        loaded = _load_name(corpus)
    return {name: _read_rows(corpus, name, rows) for name, rows in dict(loaded).items()}


def _read_rows(corpus: Corpus, name: str, rows: "Dataset") -> Iterator[Row]:
    records = (
        Record(number, f"{corpus.path}, split {name}, row {number}", cast(dict[str, Any], row))
        for number, row in enumerate(rows, start=1)
    )
    yield from check_values(RecordReader(corpus).read(records), corpus)


def _load_name(corpus: Corpus) -> Any:  # noqa: ANN401 (DatasetDict)
    from datasets import load_dataset

    name, _, subset = corpus.path.partition(":")
    # Without this probe, `datasets` would retry for a minute when the hub does not answer.
    problem = hub_error(lambda seconds: _probe(name, seconds))
    try:
        with _offline(problem is not None):
            return load_dataset(name, subset or None)
    except Exception as error:
        if problem is not None:
            raise UnavailableError(_explain_unreachable(name, problem, corpus)) from error
        raise DataError(
            f"the data set {corpus.path!r} cannot be read: {_reason(error)}. A subset goes after "
            "a colon (owner/name:subset); a private one needs HF_TOKEN"
        ) from error


def _probe(name: str, timeout_seconds: float) -> object:
    from huggingface_hub import HfApi

    return HfApi().dataset_info(name, timeout=timeout_seconds)


@contextmanager
def _offline(active: bool) -> Iterator[None]:
    """Restrict `datasets` to its cache."""
    # Both libraries read HF_HUB_OFFLINE at import, so that setting it later has no effect.
    from datasets import config
    from huggingface_hub import constants

    before = config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE
    config.HF_HUB_OFFLINE = active or before[0]
    constants.HF_HUB_OFFLINE = active or before[1]
    try:
        yield
    finally:
        config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE = before


@contextmanager
def quiet() -> Iterator[None]:
    """Disable the progress bars of `datasets`."""
    from datasets.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    silent = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not silent:
            enable_progress_bars()


def _reason(error: BaseException) -> str:
    # The innermost error names the file.
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return lines[0][:300].rstrip(". ") if lines else type(error).__name__


def _explain_unreachable(name: str, problem: str, corpus: Corpus) -> str:
    return (
        f"the Hugging Face hub cannot be reached for the data set {name!r} ({problem}), and the "
        "cache does not hold it. Without the hub, either\n"
        f"  - set {corpus.setting} to a local file (.jsonl, .csv, .tsv, .tmx, .txt), or\n"
        f"  - on a machine with access: hf download {name} --repo-type dataset --local-dir DIR, "
        f"copy DIR, and set {corpus.setting} to it, or\n"
        "  - copy a filled cache, point HF_HOME to it and set HF_HUB_OFFLINE=1"
    )
