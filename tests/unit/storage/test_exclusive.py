"""Locks on a storage root: only one process at a time does the work."""

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
    """Make the lease of an object store expire after a second."""
    monkeypatch.setattr(exclusive, "_HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(exclusive, "_EXPIRY_SECONDS", 1.0)


def hold(storage: Storage) -> AbstractContextManager[None]:
    return alone(storage, "demo/train.lock", "the work")


def test_the_second_process_is_refused_and_the_message_names_the_first(storage: Storage) -> None:
    with hold(storage), pytest.raises(InUseError) as refusal, hold(storage):
        pass
    text = str(refusal.value)
    assert text.startswith(
        f"the work is being done by process {os.getpid()} on {socket.gethostname()} since 20"
    )
    assert text.endswith("wait for its end or stop it, or choose another run=NAME")
    assert refusal.value.exit_code == 2


def test_a_released_lock_can_be_taken_again_and_leaves_no_file(storage: Storage) -> None:
    for _ in range(2):
        with hold(storage):
            assert storage.exists("demo/train.lock")
    assert not storage.exists("demo/train.lock")


def test_work_that_fails_releases_the_lock(storage: Storage) -> None:
    with pytest.raises(StorageError), hold(storage):
        raise StorageError("full")
    with hold(storage):
        pass


def test_two_locks_with_different_paths_can_be_held_at_once(storage: Storage) -> None:
    with hold(storage), alone(storage, "demo/base.lock", "other work"):
        pass


def test_a_folder_with_other_files_is_not_removed_with_its_lock(local: Storage) -> None:
    with hold(local):
        local.write_bytes("demo/data", b"1")
    assert local.list("demo") == ["data"]


def test_a_killed_process_does_not_keep_its_lock(local: Storage) -> None:
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


def test_an_incomplete_lease_is_ignored(remote: Storage) -> None:
    remote.write_bytes("demo/train.lock", b'{"host": "a"')
    with hold(remote):
        pass


def test_only_one_of_two_processes_that_take_a_lease_together_gets_it(
    remote: Storage, atomic_writes: None
) -> None:
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


def test_only_one_of_two_processes_takes_over_the_lease_of_a_dead_one(
    remote: Storage, atomic_writes: None
) -> None:
    dead = exclusive.Holder("gone", 7, "2026-01-01 00:00:00 UTC", "key", beats=3)
    remote.write_bytes("demo/train.lock", dead.dump())
    both, ended, worked, refused = threading.Barrier(2), threading.Event(), [], []

    def compete() -> None:
        both.wait()
        try:
            with hold(remote):
                worked.append(1)
                ended.wait()
        except InUseError as error:
            refused.append(error)
            ended.set()

    threads = [threading.Thread(target=compete) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(worked), len(refused)) == (1, 1)


def test_a_holder_that_slept_too_long_neither_beats_nor_deletes_the_lease_of_the_next(
    remote: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    after = exclusive.Holder("other", 8, "2026-01-01 00:00:00 UTC", "another key")
    with hold(remote):
        remote.write_bytes("demo/train.lock", after.dump())
        while "process 8 on other has started it too" not in caplog.text:
            threading.Event().wait(0.01)
    assert remote.read_bytes("demo/train.lock") == after.dump()


def test_a_file_system_without_locks_warns(
    local: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with hold(local):
        pass
    assert "cannot prevent two commands at the same time" in caplog.text


def test_a_lock_that_cannot_be_created_is_a_storage_error(local: Storage) -> None:
    Path(local.locate("demo")).write_text("a file")
    with pytest.raises(StorageError, match=r"cannot lock .*demo/train\.lock"), hold(local):
        pass
