import errno
import tempfile
import threading
from pathlib import Path

import pytest

from nmt.storage import Storage


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """Give each test its own temporary folder, since fetched folders are cached there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def local(tmp_path) -> Storage:
    return Storage(str(tmp_path / "root"))


@pytest.fixture
def remote(s3_url) -> Storage:
    return Storage(s3_url)


@pytest.fixture(params=["folder", "s3"])
def storage(request) -> Storage:
    return request.getfixturevalue("local" if request.param == "folder" else "remote")


@pytest.fixture
def atomic_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the test server compare and write in one step, as S3 does."""
    s3 = pytest.importorskip("moto.s3.responses").S3Response
    lock, put = threading.Lock(), s3._key_response_put

    def put_alone(self: object, *arguments: object) -> object:
        with lock:
            return put(self, *arguments)

    monkeypatch.setattr(s3, "_key_response_put", put_alone)


def fill(storage: Storage, path: str, files: dict[str, str], **meta: object) -> None:
    with storage.commit(path, meta) as folder:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)


def spoil(storage: Storage, path: str, content: bytes | None) -> None:
    """Change or remove a file without the storage root."""
    filesystem, root = storage.filesystem
    if content is None:
        filesystem.delete_file(f"{root}/{path}")
        return
    with filesystem.open_output_stream(f"{root}/{path}") as stream:
        stream.write(content)


def fails(*args: object, **kwargs: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
