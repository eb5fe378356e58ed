"""What is due at a state of a run, from its settings alone."""

import pytest

from nmt.config import TrainingConfig
from nmt.training.saved.state import State
from nmt.training.schedule import Schedule

TRAINING = TrainingConfig(
    max_steps=100, evaluate_every_steps=20, checkpoint_every_steps=15, patience=2
)


def validated(step: int) -> State:
    return State(step=step, curve=({"step": step, "bleu": 1.0},))


@pytest.mark.parametrize(("step", "due"), [(0, False), (19, False), (20, True), (100, True)])
def test_a_validation_is_due_at_every_nth_step_but_not_before_the_first(step, due):
    assert Schedule(TRAINING).needs_validation(State(step=step)) is due


def test_a_validation_that_took_place_is_due_no_more():
    assert not Schedule(TRAINING).needs_validation(validated(20))


def test_the_last_step_of_an_attempt_is_validated():
    assert Schedule(TRAINING, stop_at_step=33).needs_validation(State(step=33))


def test_an_attempt_never_goes_beyond_the_last_step_of_the_training():
    assert Schedule(TRAINING, stop_at_step=120).last_step == 100


@pytest.mark.parametrize(("step", "due"), [(15, True), (20, False), (30, True)])
def test_a_checkpoint_is_due_between_validations(step, due):
    assert Schedule(TRAINING).needs_checkpoint(State(step=step)) is due


def test_no_checkpoint_is_due_where_none_was_asked_for():
    assert not Schedule(TrainingConfig()).needs_checkpoint(State(step=15))


def test_an_attempt_that_ends_early_publishes_nothing():
    schedule = Schedule(TRAINING, stop_at_step=40)
    assert schedule.is_over(validated(40))
    assert not schedule.needs_publication(validated(40))


def test_the_last_step_is_published_once_it_is_validated():
    schedule = Schedule(TRAINING)
    assert schedule.is_over(State(step=100))
    assert not schedule.needs_publication(State(step=100))
    assert schedule.needs_publication(validated(100))


def test_too_many_validations_without_a_better_one_end_the_training():
    curve = tuple({"step": step, "bleu": bleu} for step, bleu in ((20, 3.0), (40, 3.0), (60, 1.0)))
    schedule, state = Schedule(TRAINING), State(step=61, curve=curve)
    assert schedule.is_over(state)
    assert schedule.needs_publication(state)
