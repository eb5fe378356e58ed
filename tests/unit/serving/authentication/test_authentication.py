"""API keys of requests: who is admitted, and for what."""

import asyncio
import json
import logging
from datetime import datetime
from typing import Any

import pytest

from nmt.access.store import revoke_key
from nmt.config import ServingConfig
from nmt.serving.authentication import Authenticator, Caller
from nmt.serving.errors import (
    ForbiddenError,
    RateLimitedError,
    UnauthorizedError,
)
from nmt.storage import Storage
from tests.support.authentication import Clock, make, poll

FILE = "serving/default/keys.json"


# Who is admitted


def test_a_valid_key_is_admitted_and_named(storage: Storage, authenticator: Authenticator) -> None:
    key = make(storage)
    poll(authenticator)
    caller = authenticator.admit(f"Bearer {key}", "translate")
    assert caller == Caller(key.split("_")[1], "demo")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_is_read_without_its_case(
    storage: Storage, authenticator: Authenticator, scheme: str
) -> None:
    key = make(storage)
    poll(authenticator)
    assert authenticator.admit(f"{scheme} {key}", "translate").name == "demo"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nmt_",
        "Basic dXNlcjpwYXNz",
        "Bearer \xe9\xff",
        "\xff\xfe",
        "Bearer nmt_00000000_" + "A" * 43,
        "Bearer nmt_00000000_" + "A" * 100_000,
        "Bearer nmt_0000000\u0660_" + "A" * 43,
    ],
)
def test_other_headers_are_refused_and_never_repeated(
    storage: Storage, authenticator: Authenticator, header: str | None
) -> None:
    make(storage)
    poll(authenticator)
    with pytest.raises(UnauthorizedError) as refused:
        authenticator.admit(header, "translate")
    assert "AAAA" not in str(refused.value)
    assert "dXNlcjpwYXNz" not in str(refused.value)


def test_a_known_id_with_another_secret_is_refused(
    storage: Storage, authenticator: Authenticator
) -> None:
    first, second = make(storage), make(storage)
    poll(authenticator)
    mixed = "_".join([*first.split("_")[:2], second.split("_", 2)[2]])
    with pytest.raises(UnauthorizedError, match="is not known"):
        authenticator.admit(f"Bearer {mixed}", "translate")


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (("translate",), {"translate"}),
        (("feedback",), {"feedback"}),
        (("translate", "feedback"), {"translate", "feedback"}),
        (("admin",), {"translate", "feedback", "admin"}),
    ],
)
def test_a_key_allows_its_scopes_only_and_admin_all(
    storage: Storage, authenticator: Authenticator, scopes: Any, allowed: set[str]
) -> None:
    key = make(storage, scopes=scopes)
    poll(authenticator)
    for scope in ("translate", "feedback", "admin"):
        if scope in allowed:
            authenticator.admit(f"Bearer {key}", scope)
            continue
        with pytest.raises(ForbiddenError, match=f"lacks the scope '{scope}'"):
            authenticator.admit(f"Bearer {key}", scope)


def test_an_expired_key_is_refused_and_its_holder_is_told(
    storage: Storage, authenticator: Authenticator, clock: Clock
) -> None:
    key = make(storage, expires_days=2)
    ends = storage.read_json(FILE)["keys"][0]["expires"]
    poll(authenticator)
    clock.now = datetime.fromisoformat(ends).timestamp() - 1
    authenticator.admit(f"Bearer {key}", "translate")
    clock.now += 1
    with pytest.raises(UnauthorizedError, match="has expired"):
        authenticator.admit(f"Bearer {key}", "translate")


def test_a_revoked_key_is_refused_from_the_next_poll_on(
    storage: Storage, authenticator: Authenticator
) -> None:
    key = make(storage)
    poll(authenticator)
    revoke_key(storage, "default", key.split("_")[1])
    authenticator.admit(f"Bearer {key}", "translate")
    poll(authenticator)
    with pytest.raises(UnauthorizedError, match="was revoked"):
        authenticator.admit(f"Bearer {key}", "translate")


def test_following_reads_the_keys_at_once_and_again(storage: Storage) -> None:
    serving = ServingConfig(require_keys=True, poll_seconds=0.001)
    authenticator = Authenticator(storage, "default", serving)

    async def follow() -> None:
        task = asyncio.create_task(authenticator.follow())
        key = make(storage)
        while True:
            try:
                authenticator.admit(f"Bearer {key}", "translate")
                break
            except UnauthorizedError:
                await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(follow())


@pytest.mark.parametrize(
    ("settings", "open_to_all"),
    [
        ({}, True),
        ({"host": "127.0.0.1"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "0.0.0.0", "require_keys": False}, True),
        ({"require_keys": True}, False),
    ],
)
def test_keys_are_needed_unless_the_address_is_a_loopback_one(
    storage: Storage, settings: dict[str, Any], open_to_all: bool
) -> None:
    authenticator = Authenticator(storage, "default", ServingConfig(**settings))
    poll(authenticator)
    if open_to_all:
        caller = authenticator.admit(None, "admin")
        assert caller == Caller("", "")
        authenticator.spend(caller, 10**9)
        return
    with pytest.raises(UnauthorizedError, match="needs an API key"):
        authenticator.admit(None, "translate")


# A file that is missing or damaged


def test_before_the_file_is_read_every_key_is_refused(
    storage: Storage, authenticator: Authenticator
) -> None:
    key = make(storage)
    with pytest.raises(UnauthorizedError):
        authenticator.admit(f"Bearer {key}", "translate")


def test_a_missing_file_is_one_without_keys_and_logged(
    authenticator: Authenticator, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        poll(authenticator)
    assert caplog.text.count("has no keys: every request is refused") == 1
    assert authenticator.error is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b'{"keys": [{"id": "x"}]}',
        b'{"version": 2, "keys": []}',
        b'{"version": "1", "keys": 7}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_keeps_the_keys_before_it(
    storage: Storage,
    authenticator: Authenticator,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
) -> None:
    key = make(storage)
    poll(authenticator)
    good = storage.read_bytes(FILE)
    storage.write_bytes(FILE, content)
    for _ in range(3):
        poll(authenticator)
    authenticator.admit(f"Bearer {key}", "translate")
    assert authenticator.error
    assert FILE in authenticator.error
    assert caplog.text.count("the 1 API keys that were read before it stay valid") == 1
    storage.write_bytes(FILE, good)
    poll(authenticator)
    assert authenticator.error is None


def test_a_damaged_file_at_the_start_opens_nothing(
    storage: Storage, authenticator: Authenticator, caplog: pytest.LogCaptureFixture
) -> None:
    storage.write_bytes(FILE, b"{")
    poll(authenticator)
    with pytest.raises(UnauthorizedError):
        authenticator.admit(None, "translate")
    assert "every request is refused" in caplog.text


def test_a_storage_that_fails_keeps_the_keys(
    storage: Storage, authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make(storage)
    poll(authenticator)

    def fail(_: str) -> None:
        raise RuntimeError("the network is gone")

    monkeypatch.setattr(storage, "read_versioned", fail)
    poll(authenticator)
    assert authenticator.error == "the network is gone"
    authenticator.admit(f"Bearer {key}", "translate")


def test_no_log_line_or_error_has_a_secret(
    storage: Storage, authenticator: Authenticator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = make(storage, requests_per_minute=1)
    secret = key.split("_", 2)[2]
    poll(authenticator)
    errors: list[str] = []
    for header in (f"Bearer {key}", f"Basic {key}", f"Bearer {key}x", key):
        try:
            authenticator.spend(authenticator.admit(header, "translate"), 1)
            authenticator.spend(authenticator.admit(header, "translate"), 1)
        except (UnauthorizedError, RateLimitedError) as error:
            errors.append(str(error))
    # As if somebody had put a key into the file by hand.
    storage.write_bytes(FILE, json.dumps({"keys": [{"id": key}]}).encode())
    poll(authenticator)
    assert len(errors) == 4
    assert secret not in caplog.text + "".join(errors) + str(authenticator.error)
