import logging

import pytest

from nmt.cli.log_file import LogFile
from nmt.storage import Storage

PATH = "demo/logs/demo-train.log"


def written(storage: Storage, *lines: bytes, clock=None) -> LogFile:
    log = LogFile(storage, PATH, **({"clock": clock} if clock else {}))
    for line in lines:
        log.write(line)
    return log


def test_lines_are_there_after_the_end(storage):
    written(storage, b"one\n", b"two\n").close()
    assert storage.read_bytes(PATH) == b"one\ntwo\n"


def test_a_second_attempt_adds_to_the_first(storage):
    written(storage, b"one\n").close()
    written(storage, b"two\n").close()
    assert storage.read_bytes(PATH) == b"one\ntwo\n"


def test_a_folder_has_each_line_at_once(local):
    written(local, b"one\n")
    assert local.read_bytes(PATH) == b"one\n"


def test_an_object_store_has_the_lines_after_twenty_seconds(remote):
    now = 0.0
    log = written(remote, b"one\n", clock=lambda: now)
    assert not remote.exists(PATH)
    now = 20.0
    log.write(b"two\n")
    assert remote.read_bytes(PATH) == b"one\ntwo\n"


def test_a_storage_root_that_fails_costs_the_log_alone(local, caplog, monkeypatch):
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Storage, "write_bytes", full)
    with caplog.at_level(logging.WARNING):
        log = written(local, b"one\n", b"two\n")
        log.close()
    assert [record.message.rpartition(": ")[2] for record in caplog.records] == [
        "[Errno 28] No space left on device"
    ]


@pytest.mark.parametrize("line", [b"\xff\xfe no text\n", "தமிழ்\n".encode(), b"no end"])
def test_bytes_are_kept_as_they_are(storage, line):
    written(storage, line).close()
    assert storage.read_bytes(PATH) == line
