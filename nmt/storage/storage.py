"""Files and folder commits below one root."""

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pyarrow as pa
from pyarrow import fs

from nmt.errors import ConfigError, StorageError
from nmt.storage.cache import copy_of, held, kept_copies, passing_copies, sweep_copies
from nmt.storage.disk import (
    in_use,
    no_space_named,
    remove_left,
    replace_file,
    swap_in,
    write_synced,
)
from nmt.storage.manifest import MANIFEST, check_manifest, faults, manifest_of
from nmt.storage.remote import open_remote

_CHUNK_BYTES = 4 * 1024 * 1024


class Storage:
    """Files below one root; every path is relative to it, with forward slashes."""

    def __init__(self, url: str, read_only: bool = False) -> None:
        """Open a root; a local folder is made when it is missing.

        Args:
            url: a folder, `s3://` or `gs://`.
            read_only: make no folder, and refuse every call that would write.

        Raises:
            ConfigError: the URL's scheme is not known, or the folder cannot be made, or is missing
                and only to be read.
        """
        self.url = url
        self._read_only = read_only
        self._local: Path | None = None
        if "://" in url:
            self._fs, self._root = open_remote(url)
        else:
            self._local = Path(url).expanduser().absolute()
            self._fs, self._root = fs.LocalFileSystem(), str(self._local)
            if read_only:
                if not self._local.is_dir():
                    raise ConfigError(f"storage={url}: no such folder")
                return
            try:
                self._local.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(f"storage={url}: cannot be made: {error.strerror}") from None

    def __reduce__(self) -> tuple[type["Storage"], tuple[str, bool]]:
        return Storage, (str(self._local) if self._local else self.url, self._read_only)

    @property
    def is_local(self) -> bool:
        """Whether the root is a folder of this machine (or one mounted into it)."""
        return self._local is not None

    @property
    def filesystem(self) -> tuple[fs.FileSystem, str]:
        """Arrow filesystem and the root's path in it, for libraries that write by themselves."""
        self.check_writable("")
        return self._fs, self._root

    def locate(self, path: str) -> str:
        """Absolute path or URL of an entry, for messages."""
        if self._local:
            return str(self._local / path)
        return f"{urlsplit(self.url).scheme}://{self._join(path)}"

    def check_writable(self, path: str) -> None:
        """Refuse to write an entry of a root that is open for reading only.

        Raises:
            StorageError: it is.
        """
        if self._read_only:
            raise StorageError(f"{self.locate(path)}: this storage root is open for reading only")

    # Single files

    def exists(self, path: str) -> bool:
        """Whether a file or a folder is there."""
        return self._info(path).type != fs.FileType.NotFound

    def read_bytes(self, path: str) -> bytes:
        """Content of a file.

        Raises:
            StorageError: it is missing or unreadable.
        """
        with self._fault("read", path), self._fs.open_input_stream(self._join(path)) as stream:
            return stream.read()

    def write_bytes(self, path: str, content: bytes) -> None:
        """Replace a file so that a reader sees the old content or the new, never a part."""
        self.check_writable(path)
        if self._local:
            replace_file(self._local / path, content)
            return
        with self._fault("write", path), self._fs.open_output_stream(self._join(path)) as stream:
            stream.write(content)

    def read_json(self, path: str) -> Any:  # noqa: ANN401 - plain JSON
        """Plain value of a JSON file.

        Raises:
            StorageError: it is missing, unreadable or no JSON.
        """
        try:
            return json.loads(self.read_bytes(path))
        except (ValueError, RecursionError) as error:
            raise StorageError(f"{self.locate(path)}: not valid JSON: {error}") from None

    def find_json(self, path: str) -> Any | None:  # noqa: ANN401 - plain JSON
        """Plain value of a JSON file, or None when there is no such file."""
        return self.read_json(path) if self.exists(path) else None

    def write_json(self, path: str, value: object) -> None:
        """Replace a JSON file atomically."""
        text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        self.write_bytes(path, text.encode())

    def list(self, path: str) -> list[str]:
        """Sorted names directly below a folder; empty when it is missing."""
        selector = fs.FileSelector(self._join(path), allow_not_found=True)
        with self._fault("list", path):
            return sorted(entry.base_name for entry in self._fs.get_file_info(selector))

    def delete(self, path: str) -> None:
        """Remove a file or a folder; its manifest goes first, so that no half of it counts."""
        self.check_writable(path)
        info = self._info(path)
        if info.type == fs.FileType.NotFound:
            return
        with self._fault("delete", path):
            if info.type == fs.FileType.File:
                self._fs.delete_file(self._join(path))
                return
            if self._info(f"{path}/{MANIFEST}").type == fs.FileType.File:
                self._fs.delete_file(self._join(f"{path}/{MANIFEST}"))
            self._fs.delete_dir(self._join(path))

    # Folder commits

    @contextmanager
    def commit(self, path: str, meta: Mapping[str, Any] | None = None) -> Iterator[Path]:
        """Local folder to fill; leaving the block publishes it whole, an error leaves nothing.

        Args:
            path: where the folder appears; what stands there is replaced.
            meta: stored in the manifest under `meta`.

        Raises:
            StorageError: there is no space for it, or it cannot be put in place.
        """
        self.check_writable(path)
        parent = (self._local / path).parent if self._local else kept_copies()
        staging = parent / f".{Path(path).name}.{uuid.uuid4().hex[:8]}.partial"
        try:
            with self._fault("write", path):
                staging.mkdir(parents=True)
            with in_use(staging):
                with no_space_named(staging.parent):
                    yield staging
                with self._fault("write", path):
                    self._publish(staging, path, manifest_of(staging, meta or {}))
            remove_left(parent, Path(path).name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def sweep(self, path: str) -> None:
        """Remove what killed writers have left in a folder; what is being written now stays.

        Of an object store that is what killed processes have left on this machine.
        """
        self.check_writable(path)
        if self._local:
            remove_left(self._local / path, "*")
        else:
            sweep_copies()

    def is_committed(self, path: str) -> bool:
        """Whether a folder commit stands there; says nothing of its content."""
        return self.exists(f"{path}/{MANIFEST}")

    def manifest(self, path: str) -> dict[str, Any]:
        """`files` (name -> size, sha256) and `meta` of a folder commit.

        Raises:
            StorageError: it is missing, unreadable, damaged or no manifest.
        """
        place = f"{path}/{MANIFEST}"
        return check_manifest(self.read_json(place), self.locate(place))

    def fetch(self, path: str, *, verify: bool = True) -> Path:
        """Folder commit as a local folder: itself on a local root, else a cached copy.

        Raises:
            StorageError: it is missing, or a file fails its size or hash.
        """
        manifest = self._committed(path)
        if self._local is None:
            return self._download(path, manifest, kept_copies(), verify=verify)
        if verify:
            self._verify(path, self._local / path, manifest)
        return self._local / path

    def verify(self, path: str) -> None:
        """Read a folder commit through and compare it with its manifest; nothing is copied.

        Raises:
            StorageError: it is missing, or a file fails its size or hash.
        """
        manifest = self._committed(path)
        if self._local:
            self._verify(path, self._local / path, manifest)
            return
        for name, expected in manifest["files"].items():
            if self._sha256_of(f"{path}/{name}") != expected["sha256"]:
                raise StorageError(f"{self.locate(f'{path}/{name}')}: differs from its manifest")

    @contextmanager
    def reading(self, path: str, only: Sequence[str] = ()) -> Iterator[Path]:
        """Verified folder commit as a local folder, for something large that is read once.

        Of an object store it is a copy that goes afterwards, once no process of this machine
        reads it any more.

        Args:
            path: the folder commit.
            only: files to copy and to verify; all where none is named.

        Raises:
            StorageError: it is missing, or a file fails its size or hash.
        """
        manifest = self._committed(path)
        files = {
            name: about for name, about in manifest["files"].items() if name in only or not only
        }
        for name in set(only) - files.keys():
            raise StorageError(f"{self.locate(f'{path}/{name}')}: is not in the manifest")
        wanted = {"files": files}
        if self._local:
            self._verify(path, self._local / path, wanted)
            yield self._local / path
            return
        sweep_copies()  # killed readers leave some that are as large
        with held(lambda: self._download(path, wanted, passing_copies())) as folder:
            yield folder

    def _committed(self, path: str) -> dict[str, Any]:
        if not self.is_committed(path):
            raise StorageError(f"{self.locate(path)}: not there, or never finished")
        return self.manifest(path)

    def _verify(self, path: str, folder: Path, manifest: Mapping[str, Any]) -> None:
        for name, fault in faults(folder, manifest):
            raise StorageError(f"{self.locate(f'{path}/{name}')}: {fault}")

    def _publish(self, staging: Path, path: str, manifest: dict[str, Any]) -> None:
        text = json.dumps(manifest, indent=2, ensure_ascii=False).encode()
        if self._holds(path, manifest):  # its removal would be the loss of it to a kill
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
                shutil.copyfileobj(source, sink, _CHUNK_BYTES)
        self.write_bytes(f"{path}/{MANIFEST}", text)

    def _holds(self, path: str, manifest: Mapping[str, Any]) -> bool:
        """Whether a commit with these very files stands there, undamaged."""
        try:
            if not self.is_committed(path) or self.manifest(path)["files"] != manifest["files"]:
                return False
            return all(
                self._sha256_of(f"{path}/{name}") == expected["sha256"]
                for name, expected in manifest["files"].items()
            )
        except StorageError:
            return False

    def _sha256_of(self, path: str) -> str:
        digest = hashlib.sha256()
        with self._fault("read", path), self._fs.open_input_stream(self._join(path)) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def _download(
        self, path: str, manifest: Mapping[str, Any], copies: Path, *, verify: bool = True
    ) -> Path:
        def fill(folder: Path) -> None:
            for name in manifest["files"]:
                self._download_file(f"{path}/{name}", folder / name)
            self._verify(path, folder, manifest)

        return copy_of(manifest, copies, fill, verify=verify)

    def _download_file(self, path: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            self._fault("read", path),
            self._fs.open_input_stream(self._join(path)) as source,
            target.open("wb") as sink,
        ):
            shutil.copyfileobj(source, sink, _CHUNK_BYTES)

    def _join(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def _info(self, path: str) -> fs.FileInfo:
        with self._fault("reach", path):
            return self._fs.get_file_info(self._join(path))

    @contextmanager
    def _fault(self, verb: str, path: str) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise StorageError(f"cannot {verb} {self.locate(path)}: {error}") from error


def below(root: str, path: str) -> str:
    """A relative path below a root, which is a folder or a URL; an absolute one stays as it is."""
    if "://" in path or Path(path).is_absolute():
        return path
    if "://" in root:
        url = urlsplit(root)  # the path may have a query behind it
        return urlunsplit(url._replace(path=f"{url.path.rstrip('/')}/{path}"))
    return str(Path(root) / path)
