"""What `nmt doctor` says of the storage root."""

import pytest

from nmt.config import load_config
from nmt.storage import Storage
from ray_jobs.cli import doctor


def findings(url: str) -> list[str]:
    return [str(finding) for finding in doctor._storage(load_config([], [f"storage={url}"]))]


def test_a_folder_that_can_be_written_is_fine_and_stays_empty(tmp_path):
    assert "can be written" in findings(str(tmp_path))[0]
    assert list(tmp_path.iterdir()) == []


def test_an_object_store_that_can_be_written_is_fine_and_stays_empty(s3_url):
    assert "can be written" in findings(s3_url)[0]
    assert Storage(s3_url).list("") == []


def test_an_object_store_that_ignores_conditions_is_bad(s3_url, monkeypatch: pytest.MonkeyPatch):
    def careless(storage: Storage, path: str, content: bytes, token: str | None) -> bool:
        storage.write_bytes(path, content)
        return True

    monkeypatch.setattr(Storage, "replace_if", careless)
    [finding] = findings(s3_url)
    assert "overwrites a file that must not exist" in finding
    assert "use an object store that takes If-Match and If-None-Match on writes" in finding
    assert Storage(s3_url).list("") == []


def test_a_bucket_that_does_not_exist_is_bad(s3_url):
    [finding] = findings(s3_url.replace("//bucket/", "//elsewhere/"))
    assert "cannot write s3://elsewhere/" in finding
