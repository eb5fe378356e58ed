"""Conditional writes: a file is replaced only if it is still the version that was read.

On an object store the server compares, by the object's ETag or generation. In a folder a lock
beside the file keeps other writers away during the comparison.
"""

import fcntl
import hashlib
import json
import logging
import os
import re
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import GCSStore, S3Store

from nmt.storage.disk import replace_file
from nmt.storage.remote import gcs_options, s3_options

if TYPE_CHECKING:
    from obstore.store import RetryConfig

log = logging.getLogger(__name__)

# The default of three minutes would keep a command waiting for a server that is gone.
_RETRY: "RetryConfig" = {"max_retries": 5, "retry_timeout": timedelta(seconds=30)}
_METADATA_SERVER = "169.254.169.254"
"""Where the client asks for credentials of the machine if it has found no others."""
_WRITE_ID = "nmt-write"
"""Metadata key of an object that holds the random id of the write that made it."""
_DIFFERS_EACH_TIME = re.compile(
    r" in [\d.]+(ns|µs|ms|s)\b(, after \d+ retries)?|<(RequestId|HostId)>[^<]*</\3>"
)
"""What two messages about the same error differ in, and what helps nobody who reads them."""


@dataclass(frozen=True, slots=True)
class Versioned:
    """The content of a file, with a token that stands for this version of it."""

    content: bytes
    token: str


class ConditionalStore:
    """Conditional reads and writes of the objects below the root of an object store."""

    # Arrow's filesystems have no conditional writes, so these go through another client.

    def __init__(self, url: str, root: str, region: str | None) -> None:
        """Set up the client; nothing is sent yet.

        Args:
            url: of the root, as given to Arrow.
            root: bucket and path, as returned by Arrow.
            region: of the bucket, for `s3://`.
        """
        bucket, _, prefix = root.partition("/")
        if urlsplit(url).scheme == "s3":
            config, client = s3_options(url, bucket)
            if region:
                config["region"] = region
            self._store: S3Store | GCSStore = S3Store(
                bucket, prefix=prefix or None, config=config,
                client_options=client, retry_config=_RETRY,
            )  # fmt: skip
        else:
            gcs_config, client = gcs_options(url)
            self._store = GCSStore(
                bucket, prefix=prefix or None, config=gcs_config,
                client_options=client, retry_config=_RETRY,
            )  # fmt: skip

    def read(self, path: str) -> Versioned | None:
        """Read an object; None if it is missing.

        Raises:
            OSError: it is unreadable.
        """
        try:
            with _as_os_errors():
                found = obstore.get(self._store, path)
                content = bytes(found.bytes())
        except FileNotFoundError:
            return None
        version = {"e_tag": found.meta["e_tag"], "version": found.meta["version"]}
        # S3 compares the ETag, and Google's store the generation, which is called version here.
        return Versioned(content, json.dumps({key: each for key, each in version.items() if each}))

    def replace_if(self, path: str, content: bytes, token: str | None) -> bool:
        """Write an object if it is still the version of the token; return False if it is not.

        Args:
            path: of the object.
            content: the new content.
            token: from `read`; None if the object must not exist.

        Raises:
            OSError: the object cannot be written.
        """
        write = uuid.uuid4().hex
        try:
            with _as_os_errors():
                obstore.put(
                    self._store, path, content,
                    mode="create" if token is None else json.loads(token),
                    attributes={_WRITE_ID: write}, use_multipart=False,
                )  # fmt: skip
        except (AlreadyExistsError, PreconditionError):
            # The client repeats a write whose answer was a server error. If the first attempt had
            # taken effect after all, the repetition finds its own object and fails.
            return self._is_from(path, write)
        except FileNotFoundError:
            if token is None:
                raise  # the bucket is missing, rather than the object
            return False
        return True

    def _is_from(self, path: str, write: str) -> bool:
        try:
            with _as_os_errors():
                return obstore.get(self._store, path).attributes.get(_WRITE_ID) == write
        except FileNotFoundError:
            return False


@contextmanager
def _as_os_errors() -> Generator[None]:
    """Raise the client's errors as OSError, except that a condition was not met."""
    try:
        yield
    except (AlreadyExistsError, PreconditionError):
        raise
    except (BaseError, FileNotFoundError) as error:
        # The rest is a dump of the client's data structures, over many lines.
        text = " ".join(str(error).partition("Debug source")[0].split())
        # The same error has the same message, so that whoever reports it reports it once.
        text = _DIFFERS_EACH_TIME.sub("", text)
        if _METADATA_SERVER in text:
            text = f"the environment, the AWS profile and this machine have no credentials: {text}"
        raise (FileNotFoundError if isinstance(error, FileNotFoundError) else OSError)(
            text
        ) from error


def read_file(path: Path) -> Versioned | None:
    """Read a local file; None if it is missing."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return Versioned(content, _token_of(content))


def replace_file_if(path: Path, content: bytes, token: str | None) -> bool:
    """Replace a local file if it is still the version of the token; return False if it is not.

    Args:
        path: of the file; its folder is made if it is missing.
        content: the new content.
        token: from `read_file`; None if the file must not exist.

    Raises:
        OSError: the lock beside the file cannot be taken.
        StorageError: the file cannot be written; the old one is unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.with_name(f".{path.name}.lock")):
        found = read_file(path)
        if (found.token if found else None) != token:
            return False
        replace_file(path, content)
        return True


def _token_of(content: bytes) -> str:
    # The content itself is the version: a file that was changed and changed back is what was read.
    return hashlib.sha256(content).hexdigest()


@contextmanager
def _locked(path: Path) -> Generator[None]:
    """Hold the exclusive lock of a file, and make the file if it is missing."""
    # The file stays. If it were removed, a process on another machine could, with a cached
    # directory entry, lock the removed file while this one locks a new file of that name.
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        # Another user has made it. Local file systems lock a file that is open for reading, too.
        descriptor = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            log.warning("%s: cannot keep other writers away: %s", path, error)
        yield
    finally:
        os.close(descriptor)
