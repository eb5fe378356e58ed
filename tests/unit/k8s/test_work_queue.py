"""Tests of the queue of the operator, with a clock that stands still."""

from random import Random

import pytest

from k8s.operator.loop.queue import WorkQueue


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock) -> WorkQueue:
    return WorkQueue(clock, Random(0))


def take_all(queue: WorkQueue) -> list[str]:
    names: list[str] = []
    while name := queue.take():
        names.append(name)
        queue.done(name)
    return names


def test_names_come_in_the_order_in_which_they_were_added(queue):
    for name in ("b", "a", "c"):
        queue.add(name)
    assert take_all(queue) == ["b", "a", "c"]


def test_a_name_that_waits_is_not_added_again(queue):
    for name in ("a", "b", "a"):
        queue.add(name)
    assert len(queue) == 2
    assert take_all(queue) == ["a", "b"]


def test_a_name_is_never_worked_on_twice_at_a_time(queue):
    queue.add("a")
    assert queue.take() == "a"
    queue.add("a")
    assert queue.take() is None
    queue.done("a")
    assert take_all(queue) == ["a"]


def test_a_timer_lets_a_name_come_later(queue, clock):
    queue.add_after("a", 10)
    assert queue.take() is None
    clock.seconds = 10
    assert take_all(queue) == ["a"]


def test_the_earlier_of_two_timers_counts(queue, clock):
    queue.add_after("a", 10)
    queue.add_after("a", 5)
    queue.add_after("a", 20)
    clock.seconds = 5
    assert take_all(queue) == ["a"]
    clock.seconds = 100
    assert take_all(queue) == []


def test_taking_a_name_ends_its_timer(queue, clock):
    queue.add_after("a", 10)
    queue.add("a")
    queue.take()
    queue.done("a", 30)
    clock.seconds = 29
    assert queue.take() is None
    clock.seconds = 30
    assert queue.take() == "a"


def test_failures_in_a_row_wait_twice_as_long_each_up_to_five_minutes(queue, clock):
    delays: list[float] = []
    queue.add("a")
    for _ in range(40):
        assert queue.take() == "a"
        delays.append(queue.retry("a"))
        assert queue.take() is None
        clock.seconds += delays[-1]
    for number, delay in enumerate(delays):
        longest = min(2.0**number, 300.0)
        assert longest / 2 <= delay <= longest


def test_a_success_ends_the_waiting_after_failures(queue, clock):
    queue.add("a")
    for _ in range(5):
        clock.seconds += 300
        queue.take()
        queue.retry("a")
    clock.seconds += 300
    queue.take()
    queue.done("a")
    queue.add("a")
    queue.take()
    assert queue.retry("a") <= 1.0


def test_names_that_failed_together_come_back_apart(queue):
    delays: set[float] = set()
    for number in range(20):
        queue.add(f"c{number}")
        queue.take()
        delays.add(queue.retry(f"c{number}"))
    assert len(delays) == 20


def test_a_change_does_not_wait_for_the_retry(queue):
    queue.add("a")
    queue.take()
    queue.retry("a")
    queue.add("a")
    assert queue.take() == "a"


def test_a_forgotten_name_has_neither_timer_nor_failures(queue, clock):
    queue.add("a")
    for _ in range(3):
        queue.take()
        queue.retry("a")
        clock.seconds += 300
    queue.take()
    queue.done("a", 5)
    queue.forget("a")
    clock.seconds += 300
    assert queue.take() is None
    queue.add("a")
    queue.take()
    assert queue.retry("a") <= 1.0


def test_a_closed_queue_hands_out_nothing_and_lets_nobody_wait(queue):
    queue.add("a")
    queue.close()
    assert queue.take(wait_seconds=3600) is None
