"""What `--restart` discards of a run, and what must hold before.

Imports neither ray nor torch.
"""

from nmt.config import LoadedConfig
from nmt.runs import layout, running
from nmt.runs.records import require
from nmt.runs.running import inherit
from nmt.runs.steps import PIPELINE, STEPS
from nmt.storage import Storage
from ray_jobs.runtime.checks import check


def discard(storage: Storage, loaded: LoadedConfig, job: str, after: str) -> None:
    """Discard what earlier calls of a job have made, for a job that is about to be started.

    Args:
        storage: the storage root.
        loaded: the job's settings.
        job: name of a step or of another command; those that make nothing discard nothing.
        after: the step that the job asks for first, or nothing.

    Raises:
        InputError: the job would refuse these settings, so nothing is discarded.
    """
    config = loaded.config
    check(storage, config, job)
    if job == PIPELINE:
        discard_run(storage, config.run)
    elif job in STEPS:
        if after:
            require(storage, config.run, STEPS[after])
        inherit(storage, config, STEPS[job], loaded.user_set, restart=True)
        running.discard(storage, config.run, [STEPS[job]])


def discard_run(storage: Storage, run: str) -> None:
    """Delete what a run has made, but for its logs: one of them may be this command's."""
    running.discard(storage, run, STEPS.values())
    for path in (layout.summary(run), layout.report(run)):
        storage.delete(path)
