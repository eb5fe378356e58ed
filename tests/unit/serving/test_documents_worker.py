"""Documents as jobs: any replica works on them, and loses at most a slice when it dies."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from nmt.storage import Storage
from nmt.traffic import promote
from tests.support.documents import (
    LINES,
    ROUTE,
    Endpoint,
    Translator,
    expected,
    fail,
    request,
    run,
    source,
    storage,
)
from tests.support.runs.evaluated_run import leave_engine
from tests.support.serving import World, until

__all__ = ["storage"]


def test_a_document_is_translated_in_slices_in_the_background(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        translator = Translator()
        documents = endpoint.replica(translator)
        asked = request()
        await documents.add(asked, source())
        state = await endpoint.reaches(asked.id, "done")
        assert await documents.result(asked.id) == expected()
        assert (state.sentences, state.sentences_done, state.engine) == (450, 450, "d1")
        assert (state.lease, state.error, state.seconds_left) == (None, None, None)
        assert [len(part) for _, part in translator.calls] == [200, 200, 50]
        assert translator.open_sessions == 0

    run(storage, check)


def test_another_replica_goes_on_behind_the_slices_of_one_that_was_killed(
    storage: Storage,
) -> None:
    async def check(endpoint: Endpoint) -> None:
        killed, other = Translator(), Translator()
        killed.free_calls = 2
        documents = endpoint.replica(killed)
        asked = request()
        await documents.add(asked, source())
        await until(lambda: endpoint.sentences_done(asked.id) == 400, 20)
        endpoint.kill(0)
        endpoint.replica(other)
        state = await endpoint.reaches(asked.id, "done")
        assert endpoint.store.result(asked.id) == expected()
        assert killed.sentences + other.sentences == LINES
        assert state.losses == 1

    run(storage, check)


def test_a_replica_that_stops_gives_its_document_back_at_once(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        stopping, other = Translator(), Translator()
        stopping.free_calls = 1
        documents = endpoint.replica(stopping, lease_seconds=1000)
        asked = request()
        await documents.add(asked, source())
        await until(lambda: endpoint.sentences_done(asked.id) == 200, 20)
        await endpoint.replicas[0].stop()
        state = endpoint.store.state(asked.id)
        assert state
        assert (state.status, state.lease) == ("waiting", None)
        assert stopping.open_sessions == 0
        endpoint.replica(other, lease_seconds=1000)
        state = await endpoint.reaches(asked.id, "done")
        assert (stopping.sentences + other.sentences, state.losses) == (LINES, 0)

    run(storage, check)


def test_two_replicas_never_work_on_the_same_document(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        translators = [Translator() for _ in range(3)]
        replicas = [endpoint.replica(each) for each in translators]
        texts = [[f"Letter {n} of text {k} is here." for n in range(300)] for k in range(6)]
        asked = [request() for _ in texts]
        for document, text in zip(asked, texts, strict=True):
            await replicas[0].add(document, source(text))
        for document, text in zip(asked, texts, strict=True):
            await endpoint.reaches(document.id, "done")
            assert endpoint.store.result(document.id) == expected(text)
        translated = [sentence for each in translators for sentence in each.sentences]
        assert sorted(translated) == sorted(line for text in texts for line in text)

    run(storage, check)


def test_a_slow_worker_keeps_its_lease(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        slow, other = Translator(), Translator()
        slow.free_calls = 0
        documents = endpoint.replica(slow)
        asked = request()
        await documents.add(asked, source())
        await endpoint.reaches(asked.id, "translating")
        endpoint.replica(other)
        await asyncio.sleep(1)
        slow.gate.set()
        await endpoint.reaches(asked.id, "done")
        assert (slow.sentences, other.sentences) == (LINES, [])

    run(storage, check)


def test_a_worker_that_has_lost_its_lease_writes_nothing_more(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(endpoint: Endpoint) -> None:
        hanging, other = Translator(), Translator()
        hanging.free_calls = 1
        documents = endpoint.replica(hanging)
        asked = request()
        await documents.add(asked, source())
        await until(lambda: endpoint.sentences_done(asked.id) == 200, 20)
        # Storage that fails for this replica alone.
        hanging_store = endpoint.replicas[0]._store
        monkeypatch.setattr(hanging_store, "change", lambda *_args: fail())
        endpoint.replica(other)
        await endpoint.reaches(asked.id, "done")
        await until(lambda: hanging.open_sessions == 0, 20)
        hanging.gate.set()
        assert (hanging.sentences, other.sentences) == (LINES[:200], LINES[200:])

    run(storage, check)


def test_a_cancelled_document_is_resumed_behind_its_slices(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        translator = Translator()
        translator.free_calls = 2
        documents = endpoint.replica(translator)
        asked = request()
        await documents.add(asked, source())
        await until(lambda: endpoint.sentences_done(asked.id) == 400, 20)
        state = await documents.cancel(asked.id)
        assert state
        assert state.status == "cancelled"
        assert state.expires
        await until(lambda: translator.open_sessions == 0, 20)
        translator.free_calls = 100
        await asyncio.sleep(0.1)
        assert len(translator.calls) == 2
        state = await documents.resume(asked.id)
        assert state
        assert (state.status, state.expires) == ("waiting", None)
        await endpoint.reaches(asked.id, "done")
        assert translator.sentences == LINES
        assert await documents.result(asked.id) == expected()
        # Too late, or twice.
        for change in (documents.cancel, documents.resume):
            state = await change(asked.id)
            assert state
            assert state.status == "done"

    run(storage, check)


def test_a_cancellation_reaches_the_replica_that_works(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        working, idle = Translator(), Translator()
        working.free_calls = 0
        first = endpoint.replica(working)
        asked = request()
        await first.add(asked, source())
        await endpoint.reaches(asked.id, "translating")
        await endpoint.replica(idle).cancel(asked.id)
        await until(lambda: working.open_sessions == 0, 20)
        assert idle.calls == []

    run(storage, check)


def test_a_deleted_document_leaves_nothing(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        translator = Translator()
        translator.free_calls = 1
        documents = endpoint.replica(translator)
        asked = request()
        await documents.add(asked, source())
        await until(lambda: endpoint.sentences_done(asked.id) == 200, 20)
        await documents.delete(asked.id)
        await until(lambda: translator.open_sessions == 0, 20)
        assert await documents.find(asked.id) is None
        await until(lambda: storage.list("serving/default/documents") == [], 20)

    run(storage, check)


def test_documents_are_deleted_after_their_time(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        now = [datetime.now(UTC)]
        documents = endpoint.replica(Translator(), clock=lambda: now[0])
        workers = endpoint.replicas[0]
        asked = request()
        await documents.add(asked, source())
        state = await endpoint.reaches(asked.id, "done")
        assert state.expires
        now[0] = state.expires - timedelta(seconds=1)
        workers.sweep()
        assert await documents.find(asked.id)
        now[0] = state.expires + timedelta(seconds=1)
        workers.sweep()
        assert await documents.find(asked.id) is None
        assert storage.list("serving/default/documents") == []

    run(storage, check, document_retention_hours=0.5)


def test_a_document_that_nobody_can_translate_is_deleted_at_last(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        now = [datetime.now(UTC)]
        translator = Translator()
        documents = endpoint.replica(translator, clock=lambda: now[0])
        asked = request(route="eng_Latn-fra_Latn")
        await documents.add(asked, source())
        await asyncio.sleep(0.1)
        assert translator.calls == []
        now[0] += timedelta(hours=23)
        endpoint.replicas[0].sweep()
        assert await documents.find(asked.id)
        now[0] += timedelta(hours=2)
        endpoint.replicas[0].sweep()
        assert await documents.find(asked.id) is None

    run(storage, check)


@pytest.mark.parametrize("name", ["source", "state.json"])
def test_an_upload_that_broke_off_or_a_damaged_document_is_deleted(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async def check(endpoint: Endpoint) -> None:
        path = f"serving/default/documents/{'a' * 32}"
        storage.write_bytes(f"{path}/{name}", b"x")
        endpoint.replica(Translator())
        workers = endpoint.replicas[0]
        workers.sweep()
        assert storage.exists(path)
        monkeypatch.setattr("nmt.serving.documents.worker._MAX_UPLOAD_SECONDS", 0.0)
        await asyncio.sleep(0.01)
        workers.sweep()
        assert not storage.exists(path)

    run(storage, check)


def test_the_documents_of_one_client_do_not_keep_those_of_another_waiting(
    storage: Storage,
) -> None:
    async def check(endpoint: Endpoint) -> None:
        leases = endpoint.replica(Translator()) and endpoint.replicas[0]._leases
        await endpoint.replicas[0].stop()
        owners = ["a", "a", "a", "b"]
        asked = [request(owner) for owner in owners]
        for each in asked:
            await asyncio.to_thread(endpoint.create, each)
        taken = [leases.take({ROUTE.key}) for _ in owners]
        assert [each.request.id for each in taken if each] == [
            asked[index].id for index in (0, 3, 1, 2)
        ]
        assert leases.take({ROUTE.key}) is None

    run(storage, check)


def test_progress_is_stored_while_a_slice_is_translated(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        translator = Translator()
        translator.free_calls = 2
        documents = endpoint.replica(translator)
        asked = request()
        await documents.add(asked, source())
        await until(lambda: endpoint.sentences_done(asked.id) == 400, 20)
        found = await documents.find(asked.id)
        assert found
        assert found.state.sentences == 450
        assert found.state.seconds_left is not None
        assert found.state.seconds_left >= 0
        translator.gate.set()
        await endpoint.reaches(asked.id, "done")

    run(storage, check)


def test_a_replica_translates_a_document_with_its_engine(storage: Storage) -> None:
    world = World(storage)
    leave_engine(storage, "a")
    promote(storage, "default", "a")

    async def check(endpoint: Endpoint) -> None:
        replica = world.replica()
        await replica.start()
        documents = endpoint.replica(replica)
        asked = request()
        await documents.add(asked, source(LINES[:3]))
        state = await endpoint.reaches(asked.id, "done")
        assert state.engine == "a"
        assert endpoint.store.result(asked.id) == b"\n".join(b"a:" + x.encode() for x in LINES[:3])
        await endpoint.stop()
        assert await replica.leave() == 0
        await replica.stop()

    run(storage, check)
