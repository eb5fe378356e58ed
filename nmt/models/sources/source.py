"""The source of a model, and whether its files are still those that a run began with.

Imports no torch.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from nmt.errors import ModelError
from nmt.models.sources.files import CONFIG, ModelFiles, model_files
from nmt.models.sources.fingerprint import Fingerprint
from nmt.models.sources.hub_files import snapshot_of
from nmt.runs.records import fetch_output
from nmt.storage import Storage


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model in a folder of this machine, on a hub, or in a folder commit of the storage root."""

    name: str
    revision: str | None = None
    """Branch, tag or commit of a hub's model."""
    stored: bool = False
    """Whether the name is a folder commit of the storage root."""
    fingerprint: Fingerprint | None = None
    """The content that its files have, or must have."""
    folder: Path | None = None
    """The folder of its files on this machine; None before `locate`."""

    def resolve(self, storage: Storage) -> "ModelSource":
        """Fetch the model's files to this machine if needed, and check their content.

        Returns:
            The same model with its `folder` and `fingerprint`; for a hub's model also the commit.

        Raises:
            ModelError: its files are incomplete, or differ from `fingerprint`.
            UnavailableError: the hub does not answer, and the model is not in the cache.
        """
        if self.stored:
            content = Fingerprint.model_validate({"files": storage.manifest(self.name)["files"]})
            found = replace(self, folder=fetch_output(storage, self.name), fingerprint=content)
        else:
            found = self.locate()
            content = Fingerprint.of(found.path, found.files().names)
            found = replace(found, fingerprint=content)
        if self.fingerprint:
            self._check_unchanged(found.content.changes_since(self.fingerprint))
        return found

    def locate(self) -> "ModelSource":
        """Find the folder of the model's files without checking their content."""
        if self.folder:
            return self
        if folder := local_folder(self.name):
            return replace(self, folder=folder)
        snapshot = snapshot_of(self.name, self.revision)
        return replace(self, folder=snapshot, revision=snapshot.name)

    @property
    def label(self) -> str:
        """Return the model's name for messages and model cards."""
        return str(self.folder) if self.stored and self.folder else self.name

    @property
    def path(self) -> Path:
        """Return the folder of a located model."""
        if self.folder is None:
            raise ValueError(f"{self.name} has not been located")
        return self.folder

    @property
    def content(self) -> Fingerprint:
        """Return the fingerprint of a resolved model."""
        if self.fingerprint is None:
            raise ValueError(f"{self.name} has not been resolved")
        return self.fingerprint

    def files(self) -> ModelFiles:
        """List the model's files in its folder."""
        return model_files(self.path, self.label)

    def as_record(self) -> dict[str, Any]:
        """Return the plain values for a step's record, which are valid on any machine."""
        portable = replace(self, folder=None)
        return TypeAdapter(ModelSource).dump_python(portable, mode="json")

    def _check_unchanged(self, changes: str) -> None:
        """Refuse files that have changed since the run's base step."""
        if changes:
            raise ModelError(
                f"model.name_or_path={self.label}: the base has changed since the step 'base' of "
                f"this run: {changes}. Put the old files back, or train on the new ones under "
                "another run=NAME"
            )


def local_folder(name: str) -> Path | None:
    """Find the folder that a name refers to; None for a hub name.

    Raises:
        ModelError: the folder does not exist, or has no model.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / CONFIG).is_file():
            raise ModelError(f"model.name_or_path={name}: has no {CONFIG} of a transformers model")
        return path
    # A hub name is `model` or `owner/model`.
    looks_local = name.startswith(("/", ".", "~")) or name.count("/") != 1
    if looks_local and "/" in name:
        raise ModelError(f"model.name_or_path={name}: no such folder")
    return None
