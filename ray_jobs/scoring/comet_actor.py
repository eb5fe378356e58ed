"""The process in which COMET runs, in an environment of its own.

Imports nothing of this project, whose packages may have other versions there.
"""

import hashlib
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict


class CometRow(TypedDict):
    """One translation, in the form that COMET reads."""

    src: str
    mt: str
    ref: str


class CometActor:
    """A COMET model."""

    def __init__(self, gpus: int, batch_size: int) -> None:
        """Keep the settings of a prediction.

        Args:
            gpus: number of GPUs that the process has.
            batch_size: number of translations that are scored together.
        """
        self._gpus, self._batch_size = gpus, batch_size
        self._model: Any = None

    def load(self, name: str) -> str:
        """Load a model by its checkpoint file or its name on the hub, and return a signature."""
        # Not in `__init__`, whose errors Ray reports without their cause.
        try:
            comet = import_module("comet")  # only this environment has it
            path = Path(name if Path(name).exists() else comet.download_model(name))
            self._model = comet.load_from_checkpoint(str(path))
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()[:12]
            # A path of this machine says nothing elsewhere.
            shown = path.name if str(path) == name else name
            return f"comet|model:{shown}|sha256:{digest}|version:{version('unbabel-comet')}"
        except Exception as error:
            raise _plain(error) from None

    def score(self, rows: list[CometRow]) -> list[float]:
        """Score translations, in order."""
        try:
            found = self._model.predict(
                rows, batch_size=self._batch_size, gpus=self._gpus, progress_bar=False
            )
            return [float(score) for score in found.scores]
        except Exception as error:
            raise _plain(error) from None


def _plain(error: Exception) -> RuntimeError:
    # The process that receives the error may lack the class of it.
    return RuntimeError(f"{type(error).__name__}: {error}")
