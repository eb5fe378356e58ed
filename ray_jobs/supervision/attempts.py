"""The record of a job's attempts, which outlives its process and its head Pod."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nmt.storage import RecordKind, Storage
from ray_jobs.runtime.storage_location import submission_id


@dataclass(frozen=True, slots=True)
class Attempts:
    """What `RUN/logs/NAME.json` remembers of a job over the heads that it outlives."""

    job: str
    """Ray's submission id: another job of the same name begins anew."""
    begun_at: float
    """Seconds since 1970, from which the deadline counts."""
    made: Annotated[int, Field(ge=0)] = 0


ATTEMPTS = RecordKind(Attempts, "the record of a job's attempts")


def begin(submitted_at: float | None, longest_wait: float, now: float) -> float:
    """Choose the time from which a job's deadline counts: its submission, if that is known.

    Args:
        submitted_at: when the job was submitted, by the clock of the machine that did it.
        longest_wait: the longest time that the job may have waited for its Pods.
        now: by the clock of this machine.
    """
    # Clocks differ, and a job must not be over as soon as it begins because one of them is wrong.
    return now if submitted_at is None else min(now, max(submitted_at, now - longest_wait))


def read_attempts(
    storage: Storage, path: str, begun_at: float, warn: Callable[[str], None], *, restart: bool
) -> Attempts:
    """Read the attempts of this job; start at 0 if the file is from another job.

    Raises:
        StorageError: the file is damaged, so that it is not known whether this job has discarded
            what was made before it.
    """
    new = Attempts(submission_id(), begun_at)
    if restart:
        remedy = (
            "delete this one file, and the job discards what was made before it and begins, or "
            "leave out --restart"
        )
        found = ATTEMPTS.find(storage, path, remedy)
    else:
        anew = "attempts and deadline are counted anew"
        found = ATTEMPTS.find_or_leave_out(storage, path, anew, warn)
    return found if found and found.job == new.job else new


def seconds_left(attempts: Attempts, deadline_seconds: float | None) -> float | None:
    """Calculate the time until a job's deadline; return None if it has none."""
    if deadline_seconds is None:
        return None
    return max(0.0, attempts.begun_at + deadline_seconds - time.time())
