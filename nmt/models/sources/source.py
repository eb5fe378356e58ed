"""Where a model is loaded from, and whether it is still the one that a run began with.

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
    """A folder of this machine, a hub name, or a folder commit of the storage root."""

    name: str
    revision: str | None = None
    """Of a hub model: branch, tag or commit."""
    stored: bool = False
    """Whether the name is a folder commit of the storage root, to be fetched where it is used."""
    fingerprint: Fingerprint | None = None
    """What its files hold, or must hold."""
    folder: Path | None = None
    """Where its files are on this machine, once they have been looked for."""

    def resolve(self, storage: Storage) -> "ModelSource":
        """Find the model's files on this machine, fetched where they are elsewhere.

        Returns:
            The same model with its `folder` and `fingerprint`; of a hub model, at one commit.

        Raises:
            ModelError: its files are not those of `fingerprint`, or not all there.
            UnavailableError: the hub does not answer, and the cache does not hold the model.
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
        """Find the folder of the model's files, without a look at what they hold."""
        if self.folder:
            return self
        if folder := local_folder(self.name):
            return replace(self, folder=folder)
        snapshot = snapshot_of(self.name, self.revision)
        return replace(self, folder=snapshot, revision=snapshot.name)

    @property
    def label(self) -> str:
        """The name for messages, and for what is written beside weights made of this model."""
        return str(self.folder) if self.stored and self.folder else self.name

    @property
    def path(self) -> Path:
        """The folder of a model that has been located."""
        if self.folder is None:
            raise ValueError(f"{self.name} has not been located")
        return self.folder

    @property
    def content(self) -> Fingerprint:
        """The fingerprint of a model that has been looked at."""
        if self.fingerprint is None:
            raise ValueError(f"{self.name} has not been looked at")
        return self.fingerprint

    def files(self) -> ModelFiles:
        """Find what makes the model in its folder."""
        return model_files(self.path, self.label)

    def as_record(self) -> dict[str, Any]:
        """Give the plain values that a step's record holds; they mean the same on any machine."""
        elsewhere = replace(self, folder=None)
        return TypeAdapter(ModelSource).dump_python(elsewhere, mode="json")

    def _check_unchanged(self, changes: str) -> None:
        if changes:
            raise ModelError(
                f"model.name_or_path={self.label}: the base has changed since the step 'base' of "
                f"this run: {changes}. Put the old files back, or train on the new ones under "
                "another run=NAME"
            )


def local_folder(name: str) -> Path | None:
    """Find the folder that a name means; None for a hub name.

    Raises:
        ModelError: no such folder, or no model in it.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / CONFIG).is_file():
            raise ModelError(
                f"model.name_or_path={name}: holds no {CONFIG} of a transformers model"
            )
        return path
    looks_local = name.startswith(("/", ".", "~")) or name.count("/") != 1
    if looks_local and "/" in name:
        raise ModelError(f"model.name_or_path={name}: no such folder")
    return None
