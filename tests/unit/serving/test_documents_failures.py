"""Documents as jobs: what fails on the way, and what a document survives."""

import asyncio

import pytest

from nmt.errors import TranslationError
from nmt.serving.errors import OverloadedError
from nmt.storage import Storage
from tests.support.documents import (
    LINES,
    Endpoint,
    Translator,
    failing,
    request,
    run,
    source,
    storage,
)
from tests.support.serving import until

__all__ = ["storage"]


def test_a_document_stays_with_its_engine(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        first, second = Translator(), Translator()
        first.free_calls = 1
        documents = endpoint.replica(first)
        asked = request()
        await documents.add(asked, source())
        await until(lambda: endpoint.sentences_done(asked.id) == 200, 20)
        await endpoint.replicas[0].stop()
        # Promoted meanwhile, with the old engine kept for a rollback.
        second.engines = ["d2", "d1"]
        endpoint.replica(second)
        state = await endpoint.reaches(asked.id, "done")
        assert state.engine == "d1"
        assert {engine for engine, _ in first.calls + second.calls} == {"d1"}

    run(storage, check)


def test_a_document_whose_engine_is_gone_begins_anew(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        first, second = Translator(), Translator()
        first.free_calls = 1
        documents = endpoint.replica(first)
        asked = request()
        await documents.add(asked, source())
        await until(lambda: endpoint.sentences_done(asked.id) == 200, 20)
        await endpoint.replicas[0].stop()
        second.engines = ["d2"]
        endpoint.replica(second)
        state = await endpoint.reaches(asked.id, "done")
        assert (state.engine, second.sentences) == ("d2", LINES)

    run(storage, check)


def test_a_document_with_a_chosen_engine_that_is_gone_fails(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        documents = endpoint.replica(Translator())
        asked = request(engine="d9")
        await documents.add(asked, source())
        state = await endpoint.reaches(asked.id, "failed")
        assert state.error == "no engine d9"

    run(storage, check)


def test_a_full_queue_or_a_failed_batch_is_tried_again(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        translator = Translator()
        translator.errors = [OverloadedError("full"), TranslationError("once")] * 2
        documents = endpoint.replica(translator)
        asked = request()
        await documents.add(asked, source())
        await endpoint.reaches(asked.id, "done")
        assert translator.sentences == LINES

    run(storage, check)


def test_an_engine_that_fails_again_and_again_fails_the_document(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        translator = Translator()
        translator.errors = [TranslationError("the engine failed on a batch")] * 3
        documents = endpoint.replica(translator)
        asked = request()
        await documents.add(asked, source())
        state = await endpoint.reaches(asked.id, "failed")
        assert state.error == "the engine failed on a batch"
        # A new try begins where the last one has ended.
        await documents.resume(asked.id)
        await endpoint.reaches(asked.id, "done")

    run(storage, check)


@pytest.mark.parametrize(
    ("content", "changes", "words"),
    [
        (b"\xff\xfe\xff", {}, "not valid utf-16"),
        (b"{", {"format": "json"}, "JSON"),
        (source(), {"format": "nothing"}, "not a format"),
    ],
)
def test_a_file_that_cannot_be_read_fails_with_the_reason(
    storage: Storage, content: bytes, changes: dict[str, str], words: str
) -> None:
    async def check(endpoint: Endpoint) -> None:
        documents = endpoint.replica(Translator())
        asked = request(**changes)
        await documents.add(asked, content)
        state = await endpoint.reaches(asked.id, "failed")
        assert state.error
        assert words in state.error

    run(storage, check)


def test_a_document_that_ends_its_replicas_fails(storage: Storage) -> None:
    async def check(endpoint: Endpoint) -> None:
        asked = request()
        for replica in range(3):
            translator = Translator()
            translator.free_calls = 0
            documents = endpoint.replica(translator, lease_seconds=0.1)
            if replica == 0:
                await documents.add(asked, source())
            await until(lambda translator=translator: translator.open_sessions > 0, 20)
            endpoint.kill(replica)
            await asyncio.sleep(0.05)
        endpoint.replica(Translator(), lease_seconds=0.1)
        state = await endpoint.reaches(asked.id, "failed")
        assert state.error
        assert "ended 3 times" in state.error

    run(storage, check)


def test_storage_that_fails_for_a_while_does_not_end_a_document(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nmt.serving.documents.job._FIRST_BACKOFF_SECONDS", 0.001)

    async def check(endpoint: Endpoint) -> None:
        translator = Translator()
        documents = endpoint.replica(translator, lease_seconds=10)
        store = endpoint.replicas[0]._store
        failures = {"write_slice": 3, "source": 2, "write_result": 2, "states": 2}
        for name in failures:
            monkeypatch.setattr(store, name, failing(getattr(store, name), name, failures))
        asked = request()
        await documents.add(asked, source())
        await endpoint.reaches(asked.id, "done")
        assert (translator.sentences, set(failures.values())) == (LINES, {0})
        endpoint.replicas[0].check()

    run(storage, check)


@pytest.mark.parametrize("name", ["request.json", "state.json"])
def test_a_damaged_document_does_not_stop_the_others(storage: Storage, name: str) -> None:
    async def check(endpoint: Endpoint) -> None:
        damaged, asked = request(), request()
        await asyncio.to_thread(endpoint.create, damaged)
        storage.write_bytes(f"serving/default/documents/{damaged.id}/{name}", b"{")
        documents = endpoint.replica(Translator())
        await documents.add(asked, source())
        await endpoint.reaches(asked.id, "done")
        assert [each.request for each in await documents.list(lambda _request: True)] == [asked]

    run(storage, check)
