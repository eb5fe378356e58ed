"""Which engine answers a client, and which clients two engines translate for."""

from itertools import pairwise

import pytest

from nmt.traffic import Route, choose_arm, is_sampled

CLIENTS = [f"client-{number}" for number in range(4000)]
NOW = 1_800_000_000.0


def canary(percent: int, rollout: str = "r1") -> Route:
    return Route(stable="a", canary="b", percent=percent, rollout=rollout)


def in_canary(percent: int, rollout: str = "r1") -> set[str]:
    route = canary(percent, rollout)
    return {client for client in CLIENTS if choose_arm(route, client) == "canary"}


@pytest.mark.parametrize("percent", [0, 1, 10, 50, 99, 100])
def test_the_canary_answers_its_share_of_the_clients(percent):
    share = len(in_canary(percent)) / len(CLIENTS)
    # Four standard deviations of a share that is drawn by chance.
    assert abs(share - percent / 100) <= 4 * (percent / 100 * (1 - percent / 100) / 4000) ** 0.5


def test_a_client_stays_in_the_canary_when_its_share_grows():
    shares = [in_canary(percent) for percent in (1, 10, 50, 100)]
    assert all(small < large for small, large in pairwise(shares))


def test_another_rollout_draws_other_clients():
    both = in_canary(50) & in_canary(50, "r2")
    assert 900 < len(both) < 1100


def test_without_a_canary_the_stable_engine_answers():
    route = Route(stable="a", shadow="b", percent=100, rollout="r1")
    assert {choose_arm(route, client) for client in CLIENTS} == {"stable"}


@pytest.mark.parametrize("client", ["", "\udcff", "ä" * 1000, "\0"])
def test_any_text_may_name_a_client(client):
    assert choose_arm(canary(100), client) == "canary"
    assert is_sampled(canary(1).model_copy(update={"shadow_percent": 100.0}), client, NOW)


@pytest.mark.parametrize("route", [canary(1), Route(stable="a", shadow="b", rollout="r1")])
def test_a_share_of_the_clients_is_sampled_whatever_the_share_of_the_canary(route):
    sampled = [is_sampled(route, client, NOW) for client in CLIENTS]
    assert 0.035 < sum(sampled) / len(CLIENTS) < 0.065


def test_whether_a_client_is_sampled_holds_for_ten_minutes_and_is_then_drawn_again():
    route = canary(10)
    now = [client for client in CLIENTS if is_sampled(route, client, NOW)]
    soon = [client for client in CLIENTS if is_sampled(route, client, NOW + 599)]
    later = [client for client in CLIENTS if is_sampled(route, client, NOW + 600)]
    assert now == soon
    assert len(set(now) & set(later)) < len(now) / 2


def test_the_sample_is_independent_of_the_engine_that_answers():
    route = canary(50)
    sampled = [client for client in CLIENTS if is_sampled(route, client, NOW)]
    share = len(set(sampled) & in_canary(50)) / len(sampled)
    assert 0.35 < share < 0.65


def test_nothing_is_sampled_without_a_canary_or_a_shadow():
    route = Route(stable="a", shadow_percent=100, rollout="r1")
    assert not any(is_sampled(route, client, NOW) for client in CLIENTS[:100])
