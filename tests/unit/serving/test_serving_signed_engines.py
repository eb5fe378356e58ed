"""A replica with a public key: it loads real engines that are signed, and no others."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from nmt.config import ServingConfig
from nmt.engines.card import EngineFormat
from nmt.provenance.bundle import sign_folder
from nmt.runs import layout
from nmt.serving.replica import Replica
from nmt.storage import Storage
from nmt.traffic import promote
from tests.support.models.tiny_engine import HOSPITAL, SENTENCE, WATER, add_engine
from tests.support.replica import serves
from tests.support.runs.signed_run import KeyPair, make_keys, record_of
from tests.support.serving import NAME, ROUTE, translate, until


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "root"))


@pytest.fixture
def keys(tmp_path: Path) -> KeyPair:
    return make_keys(tmp_path)


def sign(storage: Storage, digest: str, keys: KeyPair) -> None:
    folder = storage.fetch(layout.engine(digest))
    storage.write_bytes(
        layout.provenance(digest), sign_folder(folder, record_of(digest), keys.private)
    )


def leave_real_engine(storage: Storage, word: str, form: EngineFormat = "ctranslate2") -> str:
    """Commit an engine that says one word, under a digest."""
    return add_engine(storage, {WATER: "aa11", HOSPITAL: "bb22"}[word], word, form)


def replace_engine(storage: Storage, digest: str, word: str) -> None:
    """Put the content of another working engine under a digest."""
    add_engine(storage, digest, word)


def with_replica(
    storage: Storage, key: str | None, check: Callable[[Replica], Awaitable[None]]
) -> None:
    async def body() -> None:
        serving = ServingConfig(poll_seconds=0.05, public_key=key)
        one = Replica(storage, serving, "replica1")
        await one.start()
        await check(one)
        await one.stop()

    asyncio.run(asyncio.wait_for(body(), 60))


def errors(storage: Storage) -> list[str]:
    """Return why the replica does not serve what it should, as its report says."""
    report = storage.read_json(layout.replica_report(NAME, "replica1"))
    return [text for text in [report["error"]] if text]


@pytest.mark.parametrize("form", ["ctranslate2", "torch"])
def test_a_signed_engine_translates(storage: Storage, keys: KeyPair, form: EngineFormat) -> None:
    digest = leave_real_engine(storage, WATER, form)
    sign(storage, digest, keys)
    promote(storage, NAME, digest)

    async def check(one: Replica) -> None:
        found = await translate(one, [SENTENCE], ROUTE, "client")
        assert WATER in str(found)

    with_replica(storage, keys.public, check)


@pytest.mark.parametrize("state", ["unsigned", "forged", "changed", "other key"])
def test_an_engine_that_is_not_as_it_was_signed_is_never_served(
    storage: Storage, keys: KeyPair, tmp_path: Path, state: str
) -> None:
    digest = leave_real_engine(storage, WATER)
    if state == "other key":
        sign(storage, digest, make_keys(tmp_path, "stranger"))
    elif state != "unsigned":
        sign(storage, digest, keys)
    if state == "changed":
        replace_engine(storage, digest, HOSPITAL)
    if state == "forged":
        storage.write_bytes(layout.provenance(digest), b"{}")
    promote(storage, NAME, digest)

    async def check(one: Replica) -> None:
        assert one.served().routes == ()
        assert any(digest in text and "sign" in text for text in errors(storage))

    with_replica(storage, keys.public, check)


def test_the_signed_engine_goes_on_when_an_unsigned_one_takes_its_place(
    storage: Storage, keys: KeyPair
) -> None:
    signed, unsigned = leave_real_engine(storage, WATER), leave_real_engine(storage, HOSPITAL)
    sign(storage, signed, keys)
    promote(storage, NAME, signed)

    async def check(one: Replica) -> None:
        await serves(one, signed)
        promote(storage, NAME, unsigned)
        await until(lambda: any("is not signed" in text for text in errors(storage)))
        await serves(one, signed)
        sign(storage, unsigned, keys)
        await serves(one, unsigned)

    with_replica(storage, keys.public, check)


def test_a_replica_without_a_key_serves_an_engine_that_is_not_signed(
    storage: Storage,
) -> None:
    digest = leave_real_engine(storage, WATER)
    promote(storage, NAME, digest)

    async def check(one: Replica) -> None:
        await serves(one, digest)

    with_replica(storage, None, check)
