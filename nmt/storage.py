"""The only door to the storage root: a folder, `s3://` or `gs://`, through Arrow's filesystems.

A *folder commit* is the unit of truth: files first, then `manifest.json` with their sizes and
hashes. In a local folder it appears by one rename; on an object store, which has no atomic
rename, the manifest is written last. What has no manifest does not exist.
"""

import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import pyarrow as pa
from pyarrow import fs

from nmt.errors import ConfigError, StorageError, UnavailableError
from nmt.reach import fault_of_address, split_address

MANIFEST = "manifest.json"
_CHUNK_BYTES = 4 * 1024 * 1024


class Storage:
    """Files below one root; every path is relative to it, with forward slashes."""

    def __init__(self, url: str) -> None:
        """Open a root; a local folder is made when it is missing.

        Raises:
            ConfigError: the URL's scheme is not known, or the folder cannot be made.
        """
        self.url = url
        self._local: Path | None = None
        if "://" in url:
            self._fs, self._root = _open_remote(url)
        else:
            self._local = Path(url).expanduser().absolute()
            self._fs, self._root = fs.LocalFileSystem(), str(self._local)
            try:
                self._local.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(f"storage={url}: cannot be made: {error.strerror}") from None

    def __reduce__(self) -> tuple[type["Storage"], tuple[str]]:
        return Storage, (str(self._local) if self._local else self.url,)

    @property
    def is_local(self) -> bool:
        """Whether the root is a folder of this machine (or one mounted into it)."""
        return self._local is not None

    @property
    def filesystem(self) -> tuple[fs.FileSystem, str]:
        """Arrow filesystem and the root's path in it, for libraries that write by themselves."""
        return self._fs, self._root

    def locate(self, path: str) -> str:
        """Absolute path or URL of an entry, for messages."""
        if self._local:
            return str(self._local / path)
        return f"{urlsplit(self.url).scheme}://{self._join(path)}"

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
        if self._local:
            _replace_file(self._local / path, content)
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
        except ValueError as error:
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
        """
        parent = (self._local / path).parent if self._local else Path(tempfile.gettempdir())
        staging = parent / f".{Path(path).name}.{uuid.uuid4().hex[:8]}.partial"
        try:
            with self._fault("write", path):
                staging.mkdir(parents=True)
            yield staging
            with self._fault("write", path):
                manifest = {"files": describe_files(staging), "meta": dict(meta or {})}
                self._publish(staging, path, manifest)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def is_committed(self, path: str) -> bool:
        """Whether a folder commit stands there; says nothing of its content."""
        return self.exists(f"{path}/{MANIFEST}")

    def manifest(self, path: str) -> dict[str, Any]:
        """`files` (name -> size, sha256) and `meta` of a folder commit.

        Raises:
            StorageError: it is missing, unreadable or no manifest.
        """
        manifest = self.read_json(f"{path}/{MANIFEST}")
        if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
            raise StorageError(f"{self.locate(path)}/{MANIFEST}: not the manifest of a folder")
        return manifest

    def fetch(self, path: str, *, verify: bool = True) -> Path:
        """Folder commit as a local folder: itself on a local root, else a cached copy.

        Raises:
            StorageError: it is missing, or a file fails its size or hash.
        """
        if not self.is_committed(path):
            raise StorageError(f"{self.locate(path)}: not there, or never finished")
        manifest = self.manifest(path)
        if self._local is None:
            return self._download(path, manifest, verify=verify)
        if verify:
            self._verify(path, self._local / path, manifest)
        return self._local / path

    def _verify(self, path: str, folder: Path, manifest: Mapping[str, Any]) -> None:
        for name, fault in _faults(folder, manifest):
            raise StorageError(f"{self.locate(f'{path}/{name}')}: {fault}")

    def _publish(self, staging: Path, path: str, manifest: dict[str, Any]) -> None:
        text = json.dumps(manifest, indent=2, ensure_ascii=False).encode()
        if self._local:
            _write_synced(staging / MANIFEST, text)
            _swap_in(staging, self._local / path)
            return
        self.delete(path)
        for name in manifest["files"]:
            with (
                (staging / name).open("rb") as source,
                self._fs.open_output_stream(self._join(f"{path}/{name}")) as sink,
            ):
                shutil.copyfileobj(source, sink, _CHUNK_BYTES)
        self.write_bytes(f"{path}/{MANIFEST}", text)

    def _download(self, path: str, manifest: dict[str, Any], *, verify: bool) -> Path:
        """Copy into a cache keyed by content, shared by the processes of this machine."""
        key = hashlib.sha256(json.dumps(manifest["files"], sort_keys=True).encode()).hexdigest()
        folder = Path(tempfile.gettempdir()) / f"nmt-cache-{os.getuid()}" / key[:32]
        if folder.is_dir():
            if not verify or not any(_faults(folder, manifest)):
                return folder
            shutil.rmtree(folder, ignore_errors=True)  # a sweep of the temporary folder was there
        partial = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:8]}.partial")
        try:
            partial.mkdir(parents=True, mode=0o700)
            for name in manifest["files"]:
                (partial / name).parent.mkdir(parents=True, exist_ok=True)
                with (
                    self._fault("read", f"{path}/{name}"),
                    self._fs.open_input_stream(self._join(f"{path}/{name}")) as source,
                    (partial / name).open("wb") as sink,
                ):
                    shutil.copyfileobj(source, sink, _CHUNK_BYTES)
            self._verify(path, partial, manifest)
            with suppress(OSError):  # another process was first
                partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return folder

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


def _open_remote(url: str) -> tuple[fs.FileSystem, str]:
    parts = urlsplit(url)
    scheme = parts.scheme
    if parts.password:
        raise ConfigError(
            "storage: the URL holds credentials, which would end up in logs and records: put them "
            "into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a file these tools read"
        )
    if scheme not in ("s3", "gs"):
        raise ConfigError(
            f"storage={url}: scheme '{scheme}' is not known; use a folder, s3:// or gs://"
        )
    endpoint = parse_qs(parts.query).get("endpoint_override", [""])[0]
    if endpoint:
        _check_answers(url, endpoint, parse_qs(parts.query).get("scheme", ["https"])[0])
    try:
        filesystem, root = fs.FileSystem.from_uri(url)
    except (OSError, pa.ArrowException) as error:
        raise ConfigError(f"storage={url}: cannot be opened: {error}") from None
    if not root.strip("/"):
        raise ConfigError(f"storage={url}: names no bucket")
    return filesystem, root.rstrip("/")


def _check_answers(url: str, endpoint: str, scheme: str) -> None:
    """Knock before the client does: it would go on trying for minutes.

    Raises:
        UnavailableError: nothing listens there.
    """
    host, port = split_address(endpoint)
    fault = fault_of_address(host, port or {"http": 80}.get(scheme, 443))
    if fault:
        raise UnavailableError(f"storage={url}: {endpoint} does not answer ({fault})")


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Relative name -> `size` (bytes) and `sha256` of every file below a folder, sorted."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {
            "size": path.stat().st_size,
            "sha256": sha256_of(path),
        }
        for path in files
        if path != folder / MANIFEST
    }


def sha256_of(path: Path) -> str:
    """Hash of a file's content, read in chunks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _faults(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each file that is missing or differs, and what is wrong with it."""
    for name, expected in manifest["files"].items():
        fault = _fault_of(folder / name, expected)
        if fault:
            yield name, fault


def _fault_of(path: Path, expected: Mapping[str, Any]) -> str:
    if not path.is_file():
        return "is missing"
    size = path.stat().st_size
    if size != expected["size"]:
        return f"has {size} bytes, its manifest says {expected['size']}"
    return "" if sha256_of(path) == expected["sha256"] else "differs from its manifest"


def _replace_file(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_synced(partial, content)
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _swap_in(staging: Path, target: Path) -> None:
    """Flush every file, then put the folder in place; an old one is moved aside first."""
    for path in staging.rglob("*"):
        _sync(path)
    _sync(staging)
    if target.exists():
        old = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
        target.rename(old)
        try:
            staging.rename(target)
        except OSError:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    else:
        staging.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
