"""A run whose data is prepared, without the reading and cleaning."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from nmt.data.saved import SCHEMA, write_split, write_split_names
from nmt.runs import layout
from nmt.runs.results import PrepareResult, ScreenedSet
from nmt.runs.running import run_step
from nmt.runs.steps import PREPARE
from nmt.storage import Storage
from tests.support.runs.finished_steps import Work, config

Pairs = Sequence[tuple[str, str]]


def prepare(
    storage: Storage,
    splits: Mapping[str, Pairs],
    *,
    given: Sequence[str] = (),
    screened: Mapping[str, ScreenedSet] | None = None,
) -> None:
    """Write the splits of the run `demo`, and the record of its preparation."""
    with storage.commit(layout.pairs("demo")) as folder:
        for name, pairs in splits.items():
            columns = [
                [source for source, _ in pairs],
                [target for _, target in pairs],
                [""] * len(pairs),
                [0] * len(pairs),
            ]
            arrays = [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)]
            write_split(folder, name, [pa.record_batch(arrays, schema=SCHEMA)])
        write_split_names(folder, list(splits))
    result = PrepareResult(
        sizes={name: len(pairs) for name, pairs in splits.items()},
        given=tuple(given),
        screened=dict(screened or {}),
    )
    run_step(storage, config(), PREPARE, Work(output="digest", **result.model_dump(mode="json")))
