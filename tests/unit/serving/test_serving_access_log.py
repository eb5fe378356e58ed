"""The access log: one JSON line a request, bounded files, and nothing that must not be there."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from nmt.serving.monitoring import access_log
from nmt.serving.monitoring.access_log import AccessLog

REQUEST: dict[str, Any] = {
    "request_id": "r-1",
    "method": "POST",
    "path": "/v1/translate",
    "status": 200,
    "seconds": 0.01234,
    "key": "abcd",
    "client": "192.0.2.7",
    "engine": "e" * 12,
    "route": "eng_Latn-tam_Taml",
    "texts": 2,
    "characters": 40,
    "source_tokens": 14,
    "target_tokens": 18,
    "cached": 1,
}


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def wait_for(path: Path) -> None:
    end = time.monotonic() + 20
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.01)


def test_a_request_is_one_line_without_address_and_text(tmp_path):
    log = AccessLog(tmp_path / "access.log")
    log.write(**REQUEST)
    log.close()
    (record,) = records(tmp_path / "access.log")
    assert record.pop("time").endswith("+00:00")
    assert len(record.pop("client")) == 16
    expected = {key: value for key, value in REQUEST.items() if key not in ("seconds", "client")}
    assert record == {**expected, "milliseconds": 12.3, "code": ""}


def test_lines_are_written_without_closing(tmp_path):
    log = AccessLog(tmp_path / "access.log")
    log.write(**REQUEST)
    wait_for(tmp_path / "access.log")
    assert len(records(tmp_path / "access.log")) == 1
    log.close()


def test_the_same_client_has_the_same_hash_and_another_process_another_one(tmp_path):
    log, other = AccessLog(tmp_path / "a"), AccessLog(tmp_path / "b")
    for each in (log, log, other):
        each.write(**REQUEST)
    log.write(**{**REQUEST, "client": "192.0.2.8"})
    log.close()
    other.close()
    first, second, third = (record["client"] for record in records(tmp_path / "a"))
    assert first == second != third
    assert records(tmp_path / "b")[0]["client"] != first


@pytest.mark.parametrize("odd", ["\ud800", "\x00\x1b[31m", "a\nb\u2028c\x85", "ü\udcff", '"\\'])
def test_odd_characters_are_escaped(tmp_path, odd):
    log = AccessLog(tmp_path / "access.log")
    log.write(**{**REQUEST, "request_id": odd, "client": odd, "code": odd})
    log.close()
    content = (tmp_path / "access.log").read_bytes()
    assert content.isascii()
    assert not set(content[:-1]) & set(range(32))
    (record,) = records(tmp_path / "access.log")
    assert (record["request_id"], record["code"]) == (odd, odd)


def test_methods_and_paths_of_clients_are_not_written(tmp_path):
    log = AccessLog(tmp_path / "access.log")
    log.write(**{**REQUEST, "method": "GET /secret", "path": "/v1/translate?key=nmt_1_secret"})
    log.write(**{**REQUEST, "path": None})
    log.close()
    assert b"secret" not in (tmp_path / "access.log").read_bytes()
    assert [r["path"] for r in records(tmp_path / "access.log")] == ["other", "other"]


def test_files_rotate_and_stay_within_their_size(tmp_path):
    log = AccessLog(tmp_path / "access.log", max_bytes=2000, max_files=3)
    for number in range(40):
        log.write(**{**REQUEST, "request_id": f"r-{number}"})
        # One write of the thread for each line.
        log._flush()
    log.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["access.log", "access.log.1", "access.log.2"]
    assert all(path.stat().st_size < 2000 for path in tmp_path.iterdir())
    ids = [record["request_id"] for name in reversed(files) for record in records(tmp_path / name)]
    assert ids == [f"r-{number}" for number in range(40 - len(ids), 40)]


def test_a_disk_that_refuses_is_said_once_and_never_fails_a_request(tmp_path, caplog):
    (tmp_path / "file").write_text("x")
    log = AccessLog(tmp_path / "file" / "access.log")
    for _ in range(3):
        log.write(**REQUEST)
        log._flush()
    log.close()
    assert [r.levelname for r in caplog.records if "cannot be written" in r.message] == ["WARNING"]


def test_lines_beyond_the_buffer_are_dropped_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(access_log, "_MAX_BUFFERED_BYTES", 1000)
    monkeypatch.setattr(access_log, "_FLUSH_SECONDS", 60)
    log = AccessLog(tmp_path / "access.log")
    for _ in range(20):
        log.write(**REQUEST)
    log.close()
    *lines, dropped = records(tmp_path / "access.log")
    assert len(lines) + dropped["dropped"] == 20
    assert 2 <= len(lines) <= 6
