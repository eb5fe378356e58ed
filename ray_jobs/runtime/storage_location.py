"""Where the storage root is, seen from a terminal, from a Ray job and from a worker."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from nmt.config import Config
from nmt.errors import ConfigError
from nmt.storage import below

# Set by Ray for the entry point of a submitted job.
_JOB_MARK = "RAY_JOB_CONFIG_JSON_ENV_VAR"
STORAGE_VARIABLE = "NMT_STORAGE"


def inside_job(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether this process is the entry point of `ray job submit`."""
    return _JOB_MARK in environ


def submission_id(environ: Mapping[str, str] = os.environ) -> str:
    """Return Ray's name of the submitted job that this process runs; empty outside of one."""
    metadata = json.loads(environ.get(_JOB_MARK, "{}")).get("metadata") or {}
    return metadata.get("job_submission_id", "")


def absolute_storage(config: Config, environ: Mapping[str, str] = os.environ) -> str:
    """Return the storage root as every process of this machine understands it.

    A Ray job works in a copy of the working folder that is deleted with the job, so a relative
    folder is taken below $NMT_STORAGE there, or else below the home folder.
    """
    storage = config.storage
    if "://" in storage:
        return storage
    path = Path(storage).expanduser()
    if path.is_absolute():
        return str(path)
    root = environ.get(STORAGE_VARIABLE, "")
    if root:
        folder = root if "://" in root else str(Path(root).expanduser().absolute())
        return below(folder, storage)
    return str((Path.home() if inside_job(environ) else Path.cwd()) / path)


def check_shared(storage: str, nodes: int, environ: Mapping[str, str] = os.environ) -> None:
    """Refuse a folder that only one of several nodes has.

    Raises:
        ConfigError: says how to name a shared place.
    """
    if nodes <= 1 or "://" in storage:
        return
    root = environ.get(STORAGE_VARIABLE, "")
    shared = root and Path(storage).is_relative_to(Path(root).expanduser().absolute())
    if not shared:
        raise ConfigError(
            f"storage={storage} is a folder of one machine, and this Ray cluster has {nodes} "
            f"nodes: set {STORAGE_VARIABLE} to the folder above it that all of them mount, or use "
            "storage=s3://… or gs://…"
        )
