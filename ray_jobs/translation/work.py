"""The hidden folder beside an output, in which finished shards wait for the others."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from nmt.cli.translation import TranslationOptions
from nmt.config import Config
from nmt.errors import InUseError, StepConflictError, StorageError
from nmt.storage import RecordKind, Storage, alone
from nmt.storage.disk import explain_full_disk
from ray_jobs.translation.places import absolute_place, output_parent
from ray_jobs.translation.shards import Shard, Source

_Write = Callable[[BinaryIO], None]
"""Writes a whole file to a stream."""
_REMEDY = "add --restart, which translates everything again"


@dataclass(frozen=True, slots=True)
class Description:
    """What is translated into an output, and how."""

    inputs: dict[str, int]
    """Size of each input file by its name."""
    engine: str
    """Digest."""
    settings: dict[str, str | int | float | bool]
    """Options and settings that change the output."""
    is_finished: bool = False
    """Whether the output is complete, and this folder can be removed."""

    def difference(self, other: "Description") -> str:
        """Say in what this description differs from another; empty if they are equal."""
        if self.inputs != other.inputs:
            names = sorted(
                name
                for name in self.inputs.keys() | other.inputs.keys()
                if self.inputs.get(name) != other.inputs.get(name)
            )
            return f"another input ({', '.join(names[:5])})"
        if self.engine != other.engine:
            return f"another engine ({self.engine})"
        changed = [
            f"{key}={self.settings[key]}" if key in self.settings else f"no {key}"
            for key in sorted(self.settings.keys() | other.settings.keys())
            if self.settings.get(key) != other.settings.get(key)
        ]
        return f"other settings ({', '.join(changed)})" if changed else ""


_DESCRIPTION = RecordKind(Description, "the description of a translation")


class WorkFolder:
    """The finished shards of one output, and what they are made of."""

    def __init__(self, storage: Storage, output: str) -> None:
        """Describe the place.

        Args:
            storage: the folder of the output, opened as a root.
            output: name of the output in it.
        """
        self._storage, self._output = storage, output
        self._folder = f".{output}.translating"
        self._done: dict[str, str] = {}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other commands from writing the same output.

        Raises:
            InUseError: another command does.
        """
        what = f"the translation to {self._storage.locate(self._output)}"
        try:
            # Beside the folder and not in it, since the folder is deleted under the lock.
            with alone(self._storage, f"{self._folder}.lock", what):
                yield
        except InUseError as error:
            text = str(error).replace("another run=NAME", "another --output")
            raise InUseError(text) from None

    def begin(self, description: Description, *, restart: bool) -> bool:
        """Start a translation, or continue it; return False if it was complete.

        Raises:
            StepConflictError: the output exists, or its translation was begun with other inputs,
                another engine or other settings.
        """
        if restart:
            self.discard()
        found = _DESCRIPTION.find(self._storage, self._path("description.json"), _REMEDY)
        place = self._storage.locate(self._output)
        if found is None:
            if self._output_exists():
                raise StepConflictError(
                    f"{place} exists: choose another --output, or add --restart to replace it"
                )
            _DESCRIPTION.write(self._storage, self._path("description.json"), description)
            return True
        # Whether it is finished is not a difference: the next lines look at that.
        difference = replace(found, is_finished=False).difference(description)
        if difference:
            raise StepConflictError(
                f"the translation to {place} was begun with {difference}: give the same command "
                "again, choose another --output, or add --restart to begin anew"
            )
        if found.is_finished and self._output_exists():
            self._storage.delete(self._folder)
            return False
        # Listed once: asking for each shard would take minutes on an object store.
        names = self._storage.list(self._path("shards"))
        self._done = {name.rpartition("-")[0]: name for name in names if not name.startswith(".")}
        return True

    def has(self, shard: Shard, name: str) -> bool:
        """Tell whether a shard is finished.

        Raises:
            StepConflictError: it is, but its text was another one.
        """
        done = self._done.get(shard.key)
        if done is not None and done != name:
            raise StepConflictError(
                f"the input has changed since the translation to "
                f"{self._storage.locate(self._output)} was begun (shard {shard.key}): add "
                "--restart to begin again"
            )
        return done is not None

    def store(self, name: str, piece: bytes) -> None:
        """Store the output of a shard."""
        self._storage.write_bytes(self._path(f"shards/{name}"), piece)

    def finish(
        self,
        sources: Sequence[Source],
        shards: Mapping[int, Sequence[str]],
        description: Description,
        *,
        is_folder: bool,
    ) -> None:
        """Put the output together from its shards, and remove this folder.

        Args:
            sources: the inputs.
            shards: the names of the shards of each input, in order.
            description: as for `begin`.
            is_folder: whether the output is a folder of files and not one file.
        """
        finished = replace(description, is_finished=True)
        if self._storage.is_local:
            root = Path(self._storage.locate(self._path("output")))
            with explain_full_disk(root.parent):
                for source, write in self._joined(sources, shards):
                    _write_synced(root / source.output if is_folder else root, write)
            # First, so that a command that is killed after the renaming finds a finished output.
            _DESCRIPTION.write(self._storage, self._path("description.json"), finished)
            root.replace(self._storage.locate(self._output))
        else:
            # An object store cannot rename; each of its files appears when it is complete.
            for source, write in self._joined(sources, shards):
                name = f"{self._output}/{source.output}" if is_folder else self._output
                _upload(self._storage, name, write)
            _DESCRIPTION.write(self._storage, self._path("description.json"), finished)
        self._storage.delete(self._folder)

    def discard(self) -> None:
        """Delete the finished shards, and the output."""
        for path in (self._folder, self._output):
            self._storage.delete(path)

    def _joined(
        self, sources: Sequence[Source], shards: Mapping[int, Sequence[str]]
    ) -> Iterator[tuple[Source, _Write]]:
        """Yield each source with a function that writes its output."""
        for place, source in enumerate(sources):
            pieces = self._pieces(shards[place])
            yield source, partial(source.form.join, pieces)

    def _pieces(self, names: Iterable[str]) -> Iterator[bytes]:
        return (self._storage.read_bytes(self._path(f"shards/{name}")) for name in names)

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _output_exists(self) -> bool:
        # An empty folder may have been made for the output.
        if not self._storage.exists(self._output):
            return False
        path = Path(self._storage.locate(self._output))
        return not (self._storage.is_local and path.is_dir() and not any(path.iterdir()))


def discard_output(options: TranslationOptions, config: Config) -> None:
    """Discard the output of a translation, and its finished shards.

    Raises:
        InUseError: another command writes it.
    """
    work = WorkFolder(*output_parent(absolute_place(options.output, config)))
    with work.alone():
        work.discard()


def _write_synced(path: Path, write: _Write) -> None:
    """Write a file and wait until it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as sink:
        write(sink)
        sink.flush()
        os.fsync(sink.fileno())


def _upload(storage: Storage, name: str, write: _Write) -> None:
    """Write an object, which appears as a whole when its stream is closed."""
    filesystem, root = storage.filesystem
    try:
        with filesystem.open_output_stream(f"{root}/{name}") as sink:
            write(sink)
    except (OSError, pa.ArrowException) as error:
        raise StorageError(f"cannot write {storage.locate(name)}: {error}") from error
