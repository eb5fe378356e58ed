"""The state of a run, and the states that earlier releases wrote."""

from nmt.data.batches import Cursor
from nmt.training.saved.state import State

# The manifest of a checkpoint of release 0.1.
OLD = {
    "step": 6,
    "left_out": 2,
    "left_out_in_a_row": 1,
    "round_to": 8,
    "loss": 3.5,
    "cursor": {"epoch": 1, "step": 2},
    "base_bleu": 1.5,
    "best_step": 2,
    "best_bleu": 9.0,
    "worse_in_a_row": 2,
    "curve": [
        {"step": 2, "bleu": 9.0, "loss": 4.0},
        {"step": 4, "bleu": 9.0, "loss": 3.0},
        {"step": 6, "bleu": 7.0, "loss": 3.5},
    ],
    "seconds": 12.5,
}


def test_a_checkpoint_of_an_earlier_release_is_read() -> None:
    state = State.of(OLD)
    assert (state.step, state.skipped_steps, state.skipped_in_a_row) == (6, 2, 1)
    assert (state.cursor, state.round_to, state.seconds) == (Cursor(1, 2), 8, 12.5)


def test_the_best_validation_follows_from_the_curve() -> None:
    state = State.of(OLD)
    assert (state.best_step, state.best_bleu) == (OLD["best_step"], OLD["best_bleu"])


def test_without_a_validation_there_is_no_best_one() -> None:
    assert (State().best_step, State().best_bleu) == (None, None)


def test_a_state_is_read_as_it_was_written() -> None:
    state = State.of(OLD)
    assert State.of(state.meta()) == state
