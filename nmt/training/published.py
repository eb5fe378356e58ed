"""Where a training leaves its best weights, and whether they can still be read.

Imports no torch: the driver of a training asks this too.
"""

import logging
from pathlib import Path

from nmt.errors import StorageError
from nmt.storage import Storage

log = logging.getLogger(__name__)


def best_path(folder: str) -> str:
    """Where a training leaves its best weights, as a folder commit."""
    return f"{folder}/best"


def is_whole(storage: Storage, path: str) -> bool:
    """Whether published weights are there, and as they were written."""
    try:
        storage.fetch(path)
    except StorageError as error:
        if storage.exists(path):
            log.warning("left out, and made again from its checkpoint: %s", error)
        return False
    return True


def fetch_best(storage: Storage, folder: str) -> Path:
    """The published weights of a finished training, verified.

    Raises:
        StorageError: they are damaged.
    """
    try:
        return storage.fetch(best_path(folder))
    except StorageError as error:
        raise StorageError(
            f"{error}: give `nmt train` with this run's settings, which publishes it again from "
            "its checkpoint"
        ) from error
