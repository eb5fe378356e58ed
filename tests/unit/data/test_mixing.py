"""Rows of an epoch from corpora with weights."""

from collections import Counter

import numpy as np
import pytest

from nmt.data.batches import BatchPlan, Cursor
from nmt.data.mixing import CorpusMix

ROWS = {"parliament": range(100), "back_translated": range(100, 340)}


def plan(*weights: float, seed: int = 1, replay: int = 0, fraction: float = 0.0) -> BatchPlan:
    """A plan over both corpora of `ROWS`, with a replay pool after them."""
    corpora = np.repeat(np.arange(2, dtype=np.uint16), [len(rows) for rows in ROWS.values()])
    lengths = np.random.default_rng(3).integers(3, 60, len(corpora) + replay).astype(np.int32)
    return BatchPlan(
        source_tokens=lengths,
        target_tokens=lengths,
        corpus_rows=len(corpora),
        replay_fraction=fraction,
        micro_batch_tokens=256,
        micro_batches_per_step=2,
        seed=seed,
        mix=CorpusMix(corpora, weights) if weights else None,
    )


def uses(made: BatchPlan, *epochs: int) -> Counter[int]:
    """How often some epochs use each row."""
    steps = (step for epoch in epochs for step in made.epoch(epoch))
    return Counter(int(row) for step in steps for batch in step for row in batch)


def test_weights_of_one_give_the_same_updates_as_no_weights():
    for epoch in range(3):
        weighted, plain = plan(1.0, 1.0).epoch(epoch), plan().epoch(epoch)
        assert [[b.tolist() for b in s] for s in weighted] == [
            [b.tolist() for b in s] for s in plain
        ]


def test_a_weight_of_two_uses_each_pair_twice_in_every_epoch():
    counts = uses(plan(2.0, 1.0), 0)
    assert {counts[row] for row in ROWS["parliament"]} == {2}
    assert {counts[row] for row in ROWS["back_translated"]} == {1}


def test_a_weight_of_a_half_uses_each_pair_once_in_two_epochs():
    made = plan(1.0, 0.5)
    first, second = uses(made, 0), uses(made, 1)
    assert sum(first[row] for row in ROWS["back_translated"]) == 120
    assert {(first + second)[row] for row in ROWS["back_translated"]} == {1}
    assert {first[row] for row in ROWS["parliament"]} == {1}


@pytest.mark.parametrize(("weight", "epochs", "each"), [(0.3, 10, 3), (1.75, 4, 7), (0.05, 20, 1)])
def test_pairs_of_any_weight_are_used_equally_often_over_epochs(weight, epochs, each):
    counts = uses(plan(weight, 1.0), *range(epochs))
    assert {counts[row] for row in ROWS["parliament"]} == {each}


@pytest.mark.parametrize("epoch", range(8))
def test_no_pair_is_used_twice_in_an_epoch_for_a_weight_below_one(epoch):
    assert set(uses(plan(0.7, 0.7), epoch).values()) == {1}


def test_another_seed_takes_other_pairs():
    assert uses(plan(0.5, 0.5), 0) != uses(plan(0.5, 0.5, seed=2), 0)


def test_a_weight_that_leaves_an_epoch_empty_skips_the_epoch():
    made = plan(0.001, 0.001)
    cursor, rows = next(made.steps(Cursor()))
    assert len(made.epoch(0)) == 0
    assert cursor.epoch > 0
    assert len(rows[0]) == 1


@pytest.mark.parametrize("taken", [1, 17, 60])
def test_a_weighted_training_resumes_with_the_same_updates(taken):
    made = plan(1.5, 0.4)
    updates = made.steps(Cursor())
    cursors = [next(updates)[0] for _ in range(taken)]
    resumed = plan(1.5, 0.4).steps(cursors[-1])
    for _ in range(30):
        (there, expected), (here, rows) = next(updates), next(resumed)
        assert here == there
        assert [batch.tolist() for batch in rows] == [batch.tolist() for batch in expected]


def test_the_replayed_share_is_that_of_the_weighted_epoch():
    counts = uses(plan(2.0, 0.5, replay=300, fraction=0.25), 0)
    replayed = sum(count for row, count in counts.items() if row >= 340)
    assert replayed / counts.total() == pytest.approx(0.25, abs=0.01)


def test_padding_of_an_empty_epoch_is_nothing():
    assert plan(0.001, 0.001).padding() == 0
