from typing import get_args

import pytest

from nmt.config import Config, digest_of, load_config
from nmt.runs.trials import Trial, TrialPoint, TrialState
from nmt.storage import Storage

pytest.importorskip("ray.tune")


from ray_jobs.search.table import table_lines
from ray_jobs.search.trials import TrialLog
from tests.support.runs.fake_trials import complete, fail, follow

SMALL = {"adapter.rank": 8, "training.learning_rate": 1e-3}
LARGE = {"adapter.rank": 64, "training.learning_rate": 2e-3}


@pytest.fixture
def storage(tmp_path) -> Storage:
    return Storage(str(tmp_path / "runs"))


@pytest.fixture
def config() -> Config:
    words = ["run=demo", "tune.trials=3", "tune.max_steps=100", "tune.grace_steps=50"]
    return load_config(overrides=words)


def entry(rank: int, bleu: float | None, state: TrialState = "finished") -> Trial:
    return Trial(config={"adapter.rank": rank}, bleu=bleu, steps=100, state=state)


def test_the_table_says_how_many_trials_ended():
    entries = [entry(8, 1.0), entry(16, None, "running"), entry(32, 0.5, "pruned")]
    assert table_lines(entries, 5)[0] == "tune: 2 of 5 trials ended"


def test_the_table_has_a_line_per_trial_in_columns_of_equal_width():
    entries = [entry(8, 31.234), entry(128, None, "running")]
    assert table_lines(entries, 2)[1:] == [
        " BLEU  steps     state  rank",
        "31.23    100  finished     8",
        "    -    100   running   128",
    ]


def test_the_table_writes_fractions_short():
    trial = Trial(config={"training.learning_rate": 0.000123456}, state="running")
    line = table_lines([trial], 1)[-1]
    assert line.endswith("1.23e-04")


def test_the_table_without_trials_is_a_head():
    assert table_lines([], 4) == ["tune: 0 of 4 trials ended", "BLEU  steps  state"]


def test_a_new_log_reads_back_what_an_earlier_one_wrote(storage, config):
    complete(TrialLog(storage, config), SMALL, (50, 10.0), (100, 20.0))
    again = TrialLog(storage, config)
    (read,) = again.entries()
    assert [read.model_copy(update={"periods": ()})] == [
        Trial(
            state="finished",
            number=1,
            bleu=20.0,
            steps=100,
            passed_step=100,
            curve=(TrialPoint(step=50, bleu=10.0), TrialPoint(step=100, bleu=20.0)),
            config=SMALL,
        )
    ]


def test_a_trial_begins_without_a_score(storage, config):
    log = TrialLog(storage, config)
    follow(log, SMALL)
    assert [(e.state, e.bleu) for e in log.begun()] == [("running", None)]
    assert log.best() is None


def test_an_interrupted_trial_is_begun_and_not_ended(storage, config):
    follow(TrialLog(storage, config), SMALL, (50, 10.0))
    again = TrialLog(storage, config)
    assert [e.config for e in again.begun()] == [SMALL]
    assert again.ended() == []


def test_a_trial_that_goes_on_keeps_its_curve(storage, config):
    follow(TrialLog(storage, config), SMALL, (50, 10.0))
    again = TrialLog(storage, config)
    complete(again, SMALL, (100, 20.0))
    assert [point.step for point in again.entries()[0].curve] == [50, 100]


def test_a_step_that_is_validated_again_replaces_its_point(storage, config):
    log = TrialLog(storage, config)
    follow(log, SMALL, (50, 10.0), (50, 11.0))
    assert log.entries()[0].curve == (TrialPoint(step=50, bleu=11.0, score=11.0),)


def test_a_step_that_is_told_again_drops_none_after_it(storage, config):
    log = TrialLog(storage, config)
    follow(log, SMALL, (50, 10.0), (100, 20.0), (50, 10.0))
    (told,) = log.entries()
    assert [point.step for point in told.curve] == [50, 100]
    assert (told.bleu, told.steps) == (20.0, 100)


def test_a_trial_that_was_cut_is_pruned(storage, config):
    log = TrialLog(storage, config)
    complete(log, SMALL, (50, 10.0))
    assert [e.state for e in log.ended()] == ["pruned"]


def test_the_score_of_a_trial_is_that_of_its_best_step(storage, config):
    log = TrialLog(storage, config)
    complete(log, SMALL, (50, 30.0), (100, 20.0))
    assert log.entries()[0].bleu == 30.0


def test_entries_are_best_first_and_those_without_a_score_last(storage, config):
    log = TrialLog(storage, config)
    follow(log, {"adapter.rank": 4})
    complete(log, SMALL, (100, 0.0))
    complete(log, LARGE, (100, 20.0))
    assert [e.bleu for e in log.entries()] == [20.0, 0.0, None]


def test_the_best_trial_names_its_checkpoints(storage, config):
    log = TrialLog(storage, config)
    complete(log, SMALL, (100, 10.0))
    complete(log, LARGE, (100, 20.0))
    best = log.best()
    assert best is not None
    assert (best.config, best.bleu) == (LARGE, 20.0)
    assert best.checkpoints == f"demo/tune/trials/{digest_of(LARGE)}/checkpoints"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("first line\nlast line"), "last line"),
        (ValueError(""), "failed"),
        (None, "failed"),
    ],
    ids=["message", "empty-message", "no-error"],
)
def test_a_failed_trial_says_why(storage, config, error, said):
    log = TrialLog(storage, config)
    fail(log, SMALL, error)
    assert log.faults() == said
    assert table_lines(log.entries(), 1)[0] == "tune: 1 of 1 trials ended"


def test_a_failed_trial_is_tried_again_while_no_trial_has_a_score(storage, config):
    """What made all of them fail, a full disk or a lost machine, need not be there any more."""
    fail(TrialLog(storage, config), SMALL, OSError("no space left"))
    again = TrialLog(storage, config)
    assert again.ended() == []
    assert [e.config for e in again.begun()] == [SMALL]
    complete(again, SMALL, (100, 20.0))
    assert [(e.state, e.score) for e in again.ended()] == [("finished", 20.0)]
    assert again.faults() == ""


def test_a_failed_trial_has_ended_where_another_has_a_score(storage, config):
    log = TrialLog(storage, config)
    complete(log, LARGE, (100, 20.0))
    fail(log, SMALL, OSError("lost"))
    again = TrialLog(storage, config)
    assert again.begun() == []
    assert [(e.state, e.score) for e in again.ended()] == [("finished", 20.0), ("failed", None)]
    assert [e.config for e in again.failed()] == [SMALL]


def test_a_trial_whose_settings_are_refused_has_ended_where_another_has_a_score(storage, config):
    """Where none has, the refusal may be of the base, or of the data, which can be mended."""
    log = TrialLog(storage, config)
    trial = follow(log, LARGE)
    told = {"step": 0, "bleu": 0.0, "ended": "refused", "error": "adapter.rank=64 is too high"}
    log.on_trial_result(0, [], trial, told)
    log.on_trial_complete(0, [], trial)
    assert [e.config for e in log.begun()] == [LARGE]
    complete(log, SMALL, (100, 10.0))
    assert log.begun() == []
    assert [(e.state, e.bleu) for e in log.ended()] == [("refused", None), ("finished", 10.0)]


def test_trials_are_all_refused_when_none_was_anything_else(storage, config):
    log = TrialLog(storage, config)
    assert not log.all_refused()
    told = {"step": 0, "bleu": 0.0, "ended": "refused", "error": "adapter.rank=64 is too high"}
    log.on_trial_result(0, [], follow(log, LARGE), told)
    assert log.all_refused()
    fail(log, SMALL, OSError("no space left"))
    assert not log.all_refused()


def test_the_summary_of_a_run_knows_every_state(storage, config):
    """It is made after everything else: a state that it refused would cost the whole pipeline."""
    log = TrialLog(storage, config)
    told = {"step": 0, "bleu": 0.0, "error": "no"}
    told_states = ("diverged", "refused", "out_of_memory")
    for rank, state in enumerate(told_states, 10):
        log.on_trial_result(0, [], follow(log, {"adapter.rank": rank}), {**told, "ended": state})
    complete(log, {"adapter.rank": 3}, (50, 1.0))
    complete(log, {"adapter.rank": 4}, (100, 1.0))
    follow(log, {"adapter.rank": 5})
    fail(log, {"adapter.rank": 6}, None)
    log.is_stopping = True
    complete(log, {"adapter.rank": 7}, (50, 1.0))
    states = {e.state for e in TrialLog(storage, config).entries()}
    # Only an earlier release gave a trial up in its second call.
    assert states == set(get_args(TrialState)) - {"abandoned"}


def test_equal_faults_are_said_once(storage, config):
    log = TrialLog(storage, config)
    fail(log, SMALL, ValueError("same"))
    fail(log, LARGE, ValueError("same"))
    assert log.faults() == "same"


def test_a_folder_is_named_by_the_settings_whatever_their_order():
    assert digest_of(SMALL) == digest_of(dict(reversed(SMALL.items())))
    assert digest_of(SMALL) != digest_of(LARGE)


def test_a_trial_that_diverged_is_never_the_best(storage, config):
    log = TrialLog(storage, config)
    trial = follow(log, LARGE, (50, 9.0))
    log.on_trial_result(
        0, [], trial, {"step": 0, "bleu": 0.0, "ended": "diverged", "error": "not finite"}
    )
    complete(log, SMALL, (50, 1.0), (100, 2.0))
    best = log.best()
    assert best is not None
    assert best.config == SMALL


@pytest.mark.parametrize(
    ("scores", "state"),
    [([3.0, 5.0, 4.0, 5.0], "finished"), ([3.0, 4.0, 5.0, 4.0], "pruned")],
    ids=["two-after-the-best", "one-after-the-best"],
)
def test_a_trial_that_ran_out_of_patience_came_to_its_end(storage, config, scores, state):
    log = TrialLog(storage, config.with_overrides({"training.patience": 2}))
    complete(log, SMALL, *((10 * number, bleu) for number, bleu in enumerate(scores, 1)))
    assert log.entries()[0].state == state
