"""The figures of a training as TensorBoard events."""

import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path

from nmt.storage import Storage


class TensorBoardTracker:
    """Events in the training's folder; an object store receives the whole file at each flush."""

    def __init__(self, storage: Storage, folder: str, step: int) -> None:
        """Open an event file.

        Args:
            storage: the storage root.
            folder: of the events, below the root.
            step: last step whose points remain valid.
        """
        from tensorboardX import SummaryWriter  # only trainings with tracking pay for the import

        self._storage, self._folder = storage, folder
        self._temporary = None if storage.is_local else tempfile.TemporaryDirectory()
        self._logdir = Path(self._temporary.name if self._temporary else storage.locate(folder))
        # The file's name has whole seconds: a quick resume would overwrite the earlier events.
        suffix = f".{uuid.uuid4().hex[:8]}"
        self._writer = SummaryWriter(str(self._logdir), purge_step=step + 1, filename_suffix=suffix)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures of a step."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def flush(self) -> None:
        """Upload the events, where the storage root is an object store."""
        self._writer.flush()
        if self._temporary:
            for file in self._logdir.iterdir():
                self._storage.write_bytes(f"{self._folder}/{file.name}", file.read_bytes())

    def close(self, status: str) -> None:
        """Write the remaining events."""
        self._writer.close()
        self.flush()
        if self._temporary:
            self._temporary.cleanup()
