from typing import Any

import pytest
from ray import tune
from ray.tune.search import Searcher

from nmt.config import load_config
from nmt.storage import Storage
from ray_jobs.search import DistinctSearch, build_search
from ray_jobs.trials import TrialLog


def distinct(known: list[dict[str, Any]]) -> DistinctSearch:
    space = {"adapter.rank": tune.choice([2, 4, 8])}
    return DistinctSearch(known=known, space=space, metric="bleu", mode="max", seed=1)


def draw(search: DistinctSearch, count: int) -> list[Any]:
    return [search.suggest(f"trial-{index}") for index in range(count)]


def test_no_setting_is_tried_twice() -> None:
    ranks = [drawn["adapter.rank"] for drawn in draw(distinct([]), 3)]
    assert sorted(ranks) == [2, 4, 8]


def test_a_setting_of_an_earlier_call_is_not_tried_again() -> None:
    ranks = [drawn["adapter.rank"] for drawn in draw(distinct([{"adapter.rank": 4}]), 2)]
    assert sorted(ranks) == [2, 8]


def test_a_search_ends_when_nothing_new_is_left() -> None:
    assert draw(distinct([]), 4)[3] == Searcher.FINISHED


def test_an_interrupted_trial_is_tried_first(tmp_path: Any) -> None:
    storage = Storage(str(tmp_path))
    config = load_config([], ["tune.space={adapter.rank: {type: choice, values: [2, 4, 8]}}"])
    entry = {"config": {"adapter.rank": 8}, "state": "running", "bleu": None, "steps": 0}
    storage.write_json("demo/tune/trials/x/trial.json", {**entry, "curve": []})
    search = build_search(config, TrialLog(storage, config))
    assert search.suggest("first") == {"adapter.rank": 8}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_draws_the_same_settings(tmp_path: Any, seed: int) -> None:
    config = load_config([], [f"seed={seed}"])
    log = TrialLog(Storage(str(tmp_path)), config)
    first, second = build_search(config, log), build_search(config, log)
    assert first.suggest("a") == second.suggest("a")
