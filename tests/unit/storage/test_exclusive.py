"""Work that only one process at a time may do."""

import os
import socket
import subprocess
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from nmt.errors import InUseError, StorageError
from nmt.storage import Storage, alone, exclusive

HOLD = """
import sys
from nmt.storage import Storage, alone
with alone(Storage(sys.argv[1]), "demo/train.lock", "the work"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats of an object store's lease in fractions of a second."""
    monkeypatch.setattr(exclusive, "_BEAT_SECONDS", 0.05)
    monkeypatch.setattr(exclusive, "_SILENCE_SECONDS", 1.0)
    monkeypatch.setattr(exclusive, "_SETTLE_SECONDS", 0.01)


def hold(storage: Storage) -> AbstractContextManager[None]:
    return alone(storage, "demo/train.lock", "the work")


def test_the_second_is_refused_and_told_of_the_first(storage: Storage) -> None:
    with hold(storage), pytest.raises(InUseError) as refusal, hold(storage):
        pass
    text = str(refusal.value)
    assert text.startswith(
        f"the work is being done by process {os.getpid()} on {socket.gethostname()} since 20"
    )
    assert text.endswith("wait for its end or stop it, or choose another run=NAME")
    assert refusal.value.exit_code == 2


def test_after_the_first_the_second_works_and_nothing_is_left(storage: Storage) -> None:
    for _ in range(2):
        with hold(storage):
            assert storage.exists("demo/train.lock")
    assert not storage.exists("demo/train.lock")


def test_work_that_fails_gives_the_lock_back(storage: Storage) -> None:
    with pytest.raises(StorageError), hold(storage):
        raise StorageError("full")
    with hold(storage):
        pass


def test_other_work_goes_on(storage: Storage) -> None:
    with hold(storage), alone(storage, "demo/base.lock", "other work"):
        pass


def test_a_folder_that_holds_more_than_the_lock_stays(local: Storage) -> None:
    with hold(local):
        local.write_bytes("demo/data", b"1")
    assert local.list("demo") == ["data"]


def test_a_killed_process_holds_nothing(local: Storage) -> None:
    command = [sys.executable, "-c", HOLD, local.locate("")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        with pytest.raises(InUseError, match=f"process {process.pid} on"), hold(local):
            pass
        process.kill()
    assert local.exists("demo/train.lock")
    with hold(local):
        pass


def test_a_lease_without_a_heartbeat_is_taken_over(remote: Storage) -> None:
    dead = exclusive.Holder("gone", 7, "2026-01-01 00:00:00 UTC", "key", beats=3)
    remote.write_bytes("demo/train.lock", dead.dump())
    with hold(remote):
        holder = exclusive.Holder.read(remote.read_bytes("demo/train.lock"))
        assert holder
        assert holder.process == os.getpid()


def test_a_lease_that_is_not_whole_counts_for_nothing(remote: Storage) -> None:
    remote.write_bytes("demo/train.lock", b'{"host": "a"')
    with hold(remote):
        pass


def test_of_two_that_find_no_lease_at_once_one_gets_it(
    remote: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exclusive, "_SETTLE_SECONDS", 0.3)
    both, worked, refused = threading.Barrier(2), [], []

    def compete() -> None:
        both.wait()
        try:
            with hold(remote):
                worked.append(1)
                threading.Event().wait(0.5)
        except InUseError as error:
            refused.append(error)

    threads = [threading.Thread(target=compete) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(worked), len(refused)) == (1, 1)


def test_a_file_system_without_locks_warns(
    local: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with hold(local):
        pass
    assert "two commands at once would not notice each other" in caplog.text


def test_a_place_that_cannot_be_locked_is_named(local: Storage) -> None:
    Path(local.locate("demo")).write_text("a file")
    with pytest.raises(StorageError, match=r"cannot lock .*demo/train\.lock"), hold(local):
        pass
