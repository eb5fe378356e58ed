"""Folder commits below a storage root, beside the single files."""

import json
import shutil
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pyarrow import fs

from nmt.errors import StorageError
from nmt.storage.cache import (
    ephemeral_copies,
    ephemeral_copy,
    lasting_copies,
    local_copy,
    sweep_copies,
)
from nmt.storage.disk import (
    explain_full_disk,
    link_or_copy,
    mark_in_use,
    remove_leftovers,
    swap_in,
    write_synced,
)
from nmt.storage.files import CHUNK_BYTES, FileStorage
from nmt.storage.manifest import (
    MANIFEST,
    FileEntry,
    Manifest,
    build_manifest,
    check_manifest,
    find_problems,
)

_Files = Mapping[str, FileEntry]


class Storage(FileStorage):
    """Files and folder commits below one root."""

    @contextmanager
    def commit(self, path: str, meta: Mapping[str, Any] | None = None) -> Generator[Path]:
        """Provide a local folder to fill, and publish it as a whole at the end of the block.

        After an error in the block, nothing is published.

        Args:
            path: of the folder commit; an existing one is replaced.
            meta: stored in the manifest under `meta`.

        Raises:
            StorageError: the disk is full, or the folder cannot be put in place.
        """
        self.check_writable(path)
        # On the disk of the target, so that a rename can put the folder in place.
        parent = (self._local / path).parent if self._local else lasting_copies()
        staging = parent / f".{Path(path).name}.{uuid.uuid4().hex[:8]}.partial"
        try:
            with self._explain_errors("write", path):
                staging.mkdir(parents=True)
            with mark_in_use(staging):
                with explain_full_disk(staging.parent):
                    yield staging
                with self._explain_errors("write", path):
                    self._publish(staging, path, build_manifest(staging, meta or {}))
            remove_leftovers(parent, Path(path).name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def sweep(self, path: str) -> None:
        """Remove from a folder what killed writers left; work in progress stays.

        On an object store, remove what killed processes left on this machine.
        """
        self.check_writable(path)
        if self._local:
            remove_leftovers(self._local / path, "*")
        else:
            sweep_copies()

    def is_committed(self, path: str) -> bool:
        """Tell whether a folder commit exists; its content is not checked."""
        return self.exists(f"{path}/{MANIFEST}")

    def manifest(self, path: str) -> Manifest:
        """Read the manifest of a folder commit.

        Raises:
            StorageError: it is missing, unreadable, damaged or not a manifest.
        """
        place = f"{path}/{MANIFEST}"
        return check_manifest(self.read_json(place), self.locate(place))

    def fetch(self, path: str, *, verify: bool = True) -> Path:
        """Return a folder commit as a local folder: the folder itself, or a cached copy of it.

        Raises:
            StorageError: it is missing, or a file fails its size or hash.
        """
        files = self._committed_files(path)
        if self._local is None:
            return self._download(path, files, lasting_copies(), verify=verify)
        if verify:
            self._verify(path, self._local / path, files)
        return self._local / path

    def verify(self, path: str, files: Mapping[str, FileEntry] | None = None) -> None:
        """Compare all files of a folder commit with its manifest, without a local copy.

        Args:
            path: of the folder commit.
            files: what its manifest said when it was read before; None reads it.

        Raises:
            StorageError: it is missing, or a file fails its size or hash.
        """
        files = self._committed_files(path) if files is None else files
        if self._local:
            self._verify(path, self._local / path, files)
            return
        for name, entry in files.items():
            if self._sha256_of(f"{path}/{name}") != entry["sha256"]:
                raise StorageError(f"{self.locate(f'{path}/{name}')}: differs from its manifest")

    @contextmanager
    def reading(self, path: str, only: Sequence[str] = ()) -> Generator[Path]:
        """Provide a verified folder commit as a local folder, for large files that are read once.

        On an object store it is a temporary copy, which is deleted when the last process of this
        machine that reads it leaves its block.

        Args:
            path: of the folder commit.
            only: names of the files to copy and to verify; all if empty.

        Raises:
            StorageError: it is missing, or a file fails its size or hash.
        """
        committed = self._committed_files(path)
        files = {name: entry for name, entry in committed.items() if name in only or not only}
        for name in set(only) - files.keys():
            raise StorageError(f"{self.locate(f'{path}/{name}')}: is not in the manifest")
        if self._local:
            self._verify(path, self._local / path, files)
            yield self._local / path
            return
        # Copies that killed readers left may be so large that the next one finds no space.
        sweep_copies()
        with ephemeral_copy(lambda: self._download(path, files, ephemeral_copies())) as folder:
            yield folder

    @contextmanager
    def private(self, path: str, files: Mapping[str, FileEntry]) -> Generator[Path]:
        """Provide files of a folder commit in a folder that no other user can change.

        A local root may be mounted by others, so its files are copied for the time of the block.

        Args:
            path: of the folder commit.
            files: the files by name; only these are there, with this content.

        Raises:
            StorageError: a file is missing, or fails its size or hash.
        """
        if self._local is None:
            yield self._download(path, files, lasting_copies())
            return
        sweep_copies()
        with ephemeral_copy(lambda: self._download(path, files, ephemeral_copies())) as folder:
            yield folder

    def list_below(self, path: str) -> list[str]:
        """List all files below a folder by their names relative to it, sorted."""
        selector = fs.FileSelector(self._join(path), allow_not_found=True, recursive=True)
        with self._explain_errors("list", path):
            found = self._fs.get_file_info(selector)
        start = len(self._join(path)) + 1
        return sorted(entry.path[start:] for entry in found if entry.type != fs.FileType.Directory)

    def copy_file(self, source: str, target: str) -> None:
        """Copy a file within the root, on the side of the storage where it can do that.

        In a local folder the file gets a second name: files there are replaced and never changed,
        so each name keeps its content.

        Args:
            source: path of the file.
            target: path of the copy, where there is no file yet.

        Raises:
            StorageError: the file is missing, or the copy cannot be written.
        """
        self.check_writable(target)
        with self._explain_errors("copy", source):
            if self._local:
                (self._local / target).parent.mkdir(parents=True, exist_ok=True)
                link_or_copy(self._local / source, self._local / target)
                return
            try:
                self._fs.copy_file(self._join(source), self._join(target))
            except OSError:
                # S3 copies no object above 5 GB by itself.
                with (
                    self._fs.open_input_stream(self._join(source)) as stream,
                    self._fs.open_output_stream(self._join(target)) as sink,
                ):
                    shutil.copyfileobj(stream, sink, CHUNK_BYTES)

    def _committed_files(self, path: str) -> _Files:
        if not self.is_committed(path):
            raise StorageError(f"{self.locate(path)}: does not exist, or was never finished")
        return self.manifest(path)["files"]

    def _verify(self, path: str, folder: Path, files: _Files) -> None:
        for name, problem in find_problems(folder, files):
            raise StorageError(f"{self.locate(f'{path}/{name}')}: {problem}")

    def _publish(self, staging: Path, path: str, manifest: Manifest) -> None:
        text = json.dumps(manifest, indent=2, ensure_ascii=False).encode()
        # Replacing a commit by an equal one would only risk its loss to a kill in between.
        if self._is_same(path, manifest):
            self.write_bytes(f"{path}/{MANIFEST}", text)
            return
        if self._local:
            write_synced(staging / MANIFEST, text)
            swap_in(staging, self._local / path)
            return
        self.delete(path)
        for name in manifest["files"]:
            with (
                (staging / name).open("rb") as source,
                self._fs.open_output_stream(self._join(f"{path}/{name}")) as sink,
            ):
                shutil.copyfileobj(source, sink, CHUNK_BYTES)
        # An object store cannot rename a folder: the commit exists once its manifest does.
        self.write_bytes(f"{path}/{MANIFEST}", text)

    def _is_same(self, path: str, manifest: Manifest) -> bool:
        """Tell whether an intact commit with the same files exists."""
        try:
            if not self.is_committed(path) or self.manifest(path)["files"] != manifest["files"]:
                return False
            return all(
                self._sha256_of(f"{path}/{name}") == entry["sha256"]
                for name, entry in manifest["files"].items()
            )
        except StorageError:
            return False

    def _download(self, path: str, files: _Files, copies: Path, *, verify: bool = True) -> Path:
        def fill(folder: Path) -> None:
            for name in files:
                self._download_file(f"{path}/{name}", folder / name)
            self._verify(path, folder, files)

        return local_copy(files, copies, fill, verify=verify)


def below(root: str, path: str) -> str:
    """Join a path to a root, which is a folder or a URL; an absolute path stays as it is."""
    if "://" in path or Path(path).is_absolute():
        return path
    if "://" in root:
        url = urlsplit(root)  # an S3 URL may have a query after its path
        return urlunsplit(url._replace(path=f"{url.path.rstrip('/')}/{path}"))
    return str(Path(root) / path)
