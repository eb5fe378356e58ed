"""What `--restart` discards of a run, and what must hold before.

Imports neither ray nor torch.
"""

from collections.abc import Mapping

from nmt.config import LoadedConfig
from nmt.runs import layout, running
from nmt.runs.records import require
from nmt.runs.running import inherit
from nmt.runs.steps import CAMPAIGN, PIPELINE, STEPS
from nmt.storage import Storage
from ray_jobs.runtime.checks import check


def discard(storage: Storage, loaded: LoadedConfig, jobs: Mapping[str, str]) -> None:
    """Discard what earlier calls of jobs have made, for jobs that are about to be started.

    Args:
        storage: the storage root.
        loaded: the settings of all of them.
        jobs: name of a step or of another command -> the step that it asks for first, or nothing;
            in the order in which they are done. Those that make nothing discard nothing.

    Raises:
        InputError: a job would refuse these settings, so nothing is discarded.
    """
    config = loaded.config
    for name, after in jobs.items():
        check(storage, config, name)
        # What an earlier one of them makes is not there yet, or is about to be discarded.
        if name in STEPS and after and after not in jobs:
            require(storage, config.run, STEPS[after])
    if PIPELINE in jobs or CAMPAIGN in jobs:
        discard_run(storage, config.run)
        return
    steps = [STEPS[name] for name in jobs if name in STEPS]
    for step in steps[:1]:
        inherit(storage, config, step, loaded.user_set, restart=True)
    running.discard(storage, config.run, steps)


def discard_run(storage: Storage, run: str) -> None:
    """Delete what a run has made, but for its logs: one of them may be this command's."""
    running.discard(storage, run, STEPS.values(), whole_run=True)
    for path in (layout.summary(run), layout.report(run)):
        storage.delete(path)
