import pytest

from nmt.config import load_config
from nmt.errors import ConfigError
from nmt.storage import Storage
from ray_jobs.runtime.checks import check


@pytest.mark.parametrize("job", ["train", "tune", "pipeline"])
def test_mlflow_without_a_place_is_refused(job: str, s3_url: str) -> None:
    config = load_config(overrides=["run=demo", "tracking.mlflow=true"])
    with pytest.raises(ConfigError, match=r"tracking\.mlflow_uri"):
        check(Storage(s3_url), config, job)


@pytest.mark.parametrize("job", ["tune", "pipeline"])
def test_the_edge_of_a_range_is_checked_like_the_setting_itself(job: str, tmp_path) -> None:
    space = "tune.space={training.learning_rate: {type: uniform, low: 0.001, high: 20}}"
    config = load_config(overrides=["run=demo", space])
    with pytest.raises(ConfigError, match=r"tune\.space: training\.learning_rate"):
        check(Storage(str(tmp_path)), config, job)


def test_a_range_between_whole_numbers_is_refused_for_a_setting_that_counts(tmp_path) -> None:
    space = "tune.space={adapter.rank: {type: uniform, low: 8, high: 64}}"
    config = load_config(overrides=["run=demo", space])
    with pytest.raises(ConfigError, match=r"tune\.space: adapter\.rank"):
        check(Storage(str(tmp_path)), config, "tune")


def test_a_range_of_one_method_is_named_by_the_key_that_holds_it(tmp_path) -> None:
    space = "tune.method_space={lora: {adapter.rank: {type: uniform, low: 4, high: 64}}}"
    config = load_config(overrides=["run=demo", "tune.methods=[lora,none]", space])
    with pytest.raises(ConfigError, match=r"tune\.method_space\.lora: adapter\.rank"):
        check(Storage(str(tmp_path)), config, "tune")


def test_two_values_that_are_the_same_setting_are_refused(tmp_path) -> None:
    space = "tune.space={adapter.rank: {type: choice, values: [8, '8']}}"
    config = load_config(overrides=["run=demo", space])
    with pytest.raises(ConfigError, match=r"adapter\.rank has the values 8 and '8', which are"):
        check(Storage(str(tmp_path)), config, "tune")


def test_a_pipeline_without_a_search_asks_nothing_of_its_ranges(tmp_path) -> None:
    space = "tune.space={adapter.rnk: {type: choice, values: [2]}}"
    config = load_config(overrides=["run=demo", space, "tune.trials=0"])
    check(Storage(str(tmp_path)), config, "pipeline")


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("tune.gpus_per_trial=0.5", r"tune\.gpus_per_trial \(0\.5\)"),
        ("scaling.gpus_per_worker=0.5", r"scaling\.gpus_per_worker \(0\.5\)"),
    ],
)
def test_workers_of_a_trial_do_not_share_a_gpu(word: str, key: str, tmp_path) -> None:
    config = load_config(overrides=["run=demo", "tune.workers_per_trial=2", word])
    with pytest.raises(ConfigError, match=f"{key} must be 0 or 1"):
        check(Storage(str(tmp_path)), config, "tune")
