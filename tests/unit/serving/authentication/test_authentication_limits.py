"""API keys of requests: how many requests and characters a key allows."""

import pytest

from nmt.serving.authentication import Authenticator, Caller
from nmt.serving.errors import RateLimitedError, TooLargeError
from nmt.storage import Storage
from tests.support.authentication import Clock, make, poll, spend


def retry_after(authenticator: Authenticator, key: str, characters: int = 1) -> int:
    with pytest.raises(RateLimitedError) as refused:
        spend(authenticator, key, characters)
    assert refused.value.retry_after_seconds
    return refused.value.retry_after_seconds


def test_requests_above_the_limit_are_refused_until_the_time_that_they_are_told(
    storage: Storage, authenticator: Authenticator, clock: Clock
) -> None:
    key = make(storage, requests_per_minute=3)
    poll(authenticator)
    for _ in range(3):
        spend(authenticator, key)
    assert retry_after(authenticator, key) == 20
    clock.now += 19
    assert retry_after(authenticator, key) == 1
    clock.now += 1
    spend(authenticator, key)
    assert retry_after(authenticator, key) == 20


def test_characters_are_limited_too(
    storage: Storage, authenticator: Authenticator, clock: Clock
) -> None:
    key = make(storage, characters_per_minute=600)
    poll(authenticator)
    spend(authenticator, key, 600)
    assert retry_after(authenticator, key, 100) == 10
    clock.now += 10
    spend(authenticator, key, 100)


def test_the_longer_of_two_waits_is_told(
    storage: Storage, authenticator: Authenticator, clock: Clock
) -> None:
    key = make(storage, requests_per_minute=1, characters_per_minute=600)
    poll(authenticator)
    spend(authenticator, key, 600)
    assert retry_after(authenticator, key, 100) == 60
    clock.now += 60
    spend(authenticator, key, 100)


def test_a_refused_request_spends_nothing(
    storage: Storage, authenticator: Authenticator, clock: Clock
) -> None:
    key = make(storage, requests_per_minute=2, characters_per_minute=600)
    poll(authenticator)
    spend(authenticator, key, 600)
    for _ in range(5):
        assert retry_after(authenticator, key, 60) == 6
    clock.now += 6
    spend(authenticator, key, 60)


def test_a_request_that_could_never_fit_is_told_so(
    storage: Storage, authenticator: Authenticator
) -> None:
    key = make(storage, characters_per_minute=600)
    poll(authenticator)
    with pytest.raises(TooLargeError, match=r"601 characters.* 600 a minute"):
        spend(authenticator, key, 601)
    spend(authenticator, key, 600)


def test_a_key_without_limits_is_never_refused(
    storage: Storage, authenticator: Authenticator
) -> None:
    key = make(storage)
    poll(authenticator)
    for _ in range(1000):
        spend(authenticator, key, 10**9)


def test_each_key_has_limits_of_its_own(storage: Storage, authenticator: Authenticator) -> None:
    first, second = make(storage, requests_per_minute=1), make(storage, requests_per_minute=1)
    poll(authenticator)
    spend(authenticator, first)
    spend(authenticator, second)
    assert retry_after(authenticator, first) == 60


def test_replicas_share_the_refill(
    storage: Storage, authenticator: Authenticator, clock: Clock
) -> None:
    key = make(storage, requests_per_minute=6)
    poll(authenticator)
    authenticator.replicas = 3
    for _ in range(6):
        spend(authenticator, key)
    assert retry_after(authenticator, key) == 30
    clock.now += 30
    spend(authenticator, key)


@pytest.mark.parametrize("replicas", [1, 3])
def test_a_client_that_waits_as_told_is_always_admitted(
    storage: Storage, authenticator: Authenticator, clock: Clock, replicas: int
) -> None:
    key = make(storage, requests_per_minute=7, characters_per_minute=999)
    poll(authenticator)
    authenticator.replicas = replicas
    for turn in range(200):
        try:
            spend(authenticator, key, 1 + turn * 37 % 500)
        except RateLimitedError as refused:
            clock.now += refused.retry_after_seconds or 0
            spend(authenticator, key, 1 + turn * 37 % 500)


def test_limits_go_on_when_another_key_is_created(
    storage: Storage, authenticator: Authenticator
) -> None:
    key = make(storage, requests_per_minute=1)
    poll(authenticator)
    spend(authenticator, key)
    make(storage)
    poll(authenticator)
    assert retry_after(authenticator, key) == 60


def test_a_clock_that_is_set_back_neither_gives_nor_takes(
    storage: Storage, authenticator: Authenticator, clock: Clock
) -> None:
    key = make(storage, requests_per_minute=1)
    poll(authenticator)
    spend(authenticator, key)
    clock.now -= 3600
    assert retry_after(authenticator, key) == 60
    clock.now += 60
    spend(authenticator, key)


def test_a_key_that_was_revoked_while_its_request_was_read_is_not_an_error(
    storage: Storage, authenticator: Authenticator
) -> None:
    authenticator.spend(Caller("00000000", "gone"), 5)
