"""How the settings of one method are drawn."""

import math
from typing import Any

import pytest

from nmt.config import Choice, Config, load_config
from nmt.runs.trials import Trial

pytest.importorskip("optuna")

from ray_jobs.search.sampler import MethodSampler, combinations

RANKS = {"adapter.rank": Choice(values=(2, 4, 8))}


def trial(rank: int, state: Any = "finished", bleu: float | None = 10.0) -> Trial:
    return Trial(config={"adapter.rank": rank}, state=state, bleu=bleu)


def distinct(*ended: Trial, kind: str = "tpe", begun: Any = (), seed: int = 1) -> MethodSampler:
    sampler = MethodSampler(RANKS, seed, kind)
    sampler.remember(ended, begun)
    return sampler


def ranks_of(sampler: MethodSampler, count: int) -> list[Any]:
    return [drawn and drawn["adapter.rank"] for drawn in (sampler.draw() for _ in range(count))]


@pytest.mark.parametrize("kind", ["tpe", "random", "grid"])
def test_no_setting_is_tried_twice_and_a_search_ends_when_nothing_is_left(kind: str) -> None:
    drawn = ranks_of(distinct(kind=kind), 4)
    assert sorted(drawn[:3]) == [2, 4, 8]
    assert drawn[3] is None


@pytest.mark.parametrize("kind", ["tpe", "random", "grid"])
def test_a_setting_of_an_earlier_call_is_not_tried_again(kind: str) -> None:
    assert sorted(ranks_of(distinct(trial(4), kind=kind), 2)) == [2, 8]


def test_a_grid_goes_through_the_combinations_in_order() -> None:
    space = {"seed": Choice(values=(3, 1)), "adapter.rank": Choice(values=(2, 4))}
    sampler = MethodSampler(space, 1, "grid")
    drawn = [sampler.draw() for _ in range(5)]
    assert [each and tuple(each.values()) for each in drawn] == [
        (3, 2),
        (3, 4),
        (1, 2),
        (1, 4),
        None,
    ]


def test_a_combination_that_the_sampler_never_draws_is_tried_all_the_same() -> None:
    """Of many equal draws the last of 40 settings is hardly ever one."""
    sampler = MethodSampler({"seed": Choice(values=tuple(range(40)))}, 1, "tpe")
    drawn = [sampler.draw() for _ in range(41)]
    assert sorted(each["seed"] for each in drawn[:40] if each) == list(range(40))
    assert drawn[40] is None


def test_a_space_of_choices_has_as_many_combinations_as_their_product() -> None:
    words = [
        "tune.space.adapter.rank={type: choice, values: [2, 4, 4]}",
        "tune.space.seed={type: choice, values: [1, 2, 3]}",
    ]
    assert combinations(load_config(overrides=words).search_spaces["lora"]) == 6


def test_a_space_with_a_range_has_no_number_of_combinations() -> None:
    assert combinations(Config().search_spaces["lora"]) is None


def test_an_interrupted_trial_is_tried_first() -> None:
    sampler = distinct(trial(2), begun=[trial(8, "running", None)])
    assert sampler.has_begun
    assert ranks_of(sampler, 1) == [8]
    assert not sampler.has_begun


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", ["tpe", "random"])
def test_the_same_seed_draws_the_same_settings(kind: str, seed: int) -> None:
    space = Config().search_spaces["lora"]
    first, second = (MethodSampler(space, seed, kind) for _ in range(2))
    assert first.draw() == second.draw()


@pytest.mark.parametrize("state", ["diverged", "refused", "out_of_memory"])
def test_the_sampler_learns_that_settings_did_not_work(state: str) -> None:
    told = distinct(trial(2), trial(4, state, None)).study().trials
    values = {each.params["adapter.rank"]: each.value or 0.0 for each in told}
    assert values[4] < values[2]


def test_the_sampler_learns_nothing_from_a_trial_that_failed_before_its_first_score() -> None:
    assert distinct(trial(4, "failed", None)).study().trials == []


def test_of_an_edit_rate_the_lowest_is_learned_as_the_best() -> None:
    sampler = MethodSampler(RANKS, 1, "tpe")
    edits = {2: 60.0, 4: 40.0}
    sampler.remember(
        [
            *(
                Trial(config={"adapter.rank": rank}, state="finished", metric="ter", score=score)
                for rank, score in edits.items()
            ),
            Trial(config={"adapter.rank": 8}, state="diverged", metric="ter"),
        ],
        [],
    )
    values = {told.params["adapter.rank"]: told.value for told in sampler.study().trials}
    assert sorted(values, key=lambda rank: values[rank] or 0.0) == [8, 2, 4]


def test_what_another_search_found_is_learned_and_may_be_drawn_again() -> None:
    sampler = distinct()
    assert sampler.learn_from("other", {"adapter.rank": 4}, 30.0)
    assert not sampler.learn_from("other", {"adapter.rank": 16}, 30.0)
    assert [told.params for told in sampler.study().trials] == [{"adapter.rank": 4}]
    assert sorted(ranks_of(sampler, 3)) == [2, 4, 8]


def test_the_first_scores_decide_what_is_drawn_next() -> None:
    space = Config().search_spaces["lora"]
    drawn: list[list[float]] = []
    for best in (1e-4, 1e-3):
        sampler = MethodSampler(space, 1, "tpe")
        rates: list[float] = []
        for _ in range(5):
            settings = sampler.draw() or {}
            rates.append(float(settings["training.learning_rate"]))
            sampler.learn(settings, -abs(math.log(rates[-1] / best)))
        drawn.append(rates)
    assert drawn[0][:3] == drawn[1][:3]
    assert drawn[0][3:] != drawn[1][3:]
