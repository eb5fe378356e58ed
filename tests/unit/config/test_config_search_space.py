"""The settings that a search may vary."""

from typing import get_args

import pytest

from nmt.config import AdapterConfig, Choice, Config, SearchRange, Uniform, load_config
from nmt.config.sections.tune import Method
from nmt.errors import ConfigError


def searching(key: str) -> Config:
    return load_config(overrides=[f"tune.space.{key}={{type: choice, values: [1]}}"])


@pytest.mark.parametrize(
    "key",
    [
        "data.max_pairs",
        "model.name_or_path",
        "model.max_source_tokens",
        "evaluation.beam_size",
        "scaling.workers",
        "strategy.type",
        "tune.max_steps",
        "training.max_steps",
        "training.validation_sentences",
        "training.evaluate_every_steps",
        "training.average_checkpoints",
        "training.patience",
        "training.log_every_seconds",
        "training.gradient_checkpointing",
    ],
)
def test_a_setting_that_all_trials_share_is_not_searched(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"^tune\.space: {key} cannot be searched, since"):
        searching(key)


def test_the_method_is_searched_by_a_key_of_its_own() -> None:
    with pytest.raises(ConfigError, match=r"adapter\.type is searched by tune\.methods"):
        searching("adapter.type")


@pytest.mark.parametrize("key", ["adapter.rank", "training.learning_rate", "seed"])
def test_a_setting_that_a_trial_reads_is_searched(key: str) -> None:
    assert set(searching(key).tune.space) == {key}


def test_a_key_that_is_nearly_one_of_them_is_suggested() -> None:
    with pytest.raises(ConfigError, match=r"Did you mean 'training\.learning_rate'"):
        searching("training.lerning_rate")


def test_the_keys_of_training_that_are_searched_exist() -> None:
    """Otherwise a renamed setting would silently be lost to the search."""
    with pytest.raises(ConfigError) as refusal:
        searching("data.path")
    named = str(refusal.value).partition("or seed, ")[2].partition(" (set in")[0].split(", ")
    assert set(named) <= set(Config().settings("training"))
    assert "training.replay_fraction" in named


# Several methods


def spaces(*words: str) -> dict[str, dict[str, SearchRange]]:
    return load_config(overrides=list(words)).search_spaces


def test_each_method_has_its_own_default_space() -> None:
    found = spaces("tune.methods=[lora,none,ia3]")
    assert {method: set(space) - {"adapter.type"} for method, space in found.items()} == {
        "lora": {"adapter.rank", "adapter.alpha", "training.learning_rate"},
        "none": {"training.learning_rate"},
        "ia3": {"training.learning_rate"},
    }
    rates = {method: space["training.learning_rate"] for method, space in found.items()}
    assert rates["none"] == Uniform(type="loguniform", low=1e-5, high=2e-4)
    assert rates["lora"] == rates["ia3"] == Uniform(type="loguniform", low=1e-4, high=1e-3)


def test_full_fine_tuning_alone_has_low_learning_rates_too() -> None:
    (space,) = spaces("adapter.type=none").values()
    assert space == {"training.learning_rate": Uniform(type="loguniform", low=1e-5, high=2e-4)}


def test_a_method_leaves_out_the_keys_that_another_one_has() -> None:
    found = spaces(
        "tune.methods=[lora,none]",
        "tune.space.adapter.rank={values: [2, 4], type: choice}",
        "tune.space.seed={type: choice, values: [1]}",
    )
    assert "adapter.rank" in found["lora"]
    assert set(found["none"]) == {"adapter.type", "seed"}


def test_a_key_that_no_method_has_stays_and_is_refused_by_the_search() -> None:
    found = spaces("tune.methods=[none,ia3]", "tune.space.adapter.rank={type: choice, values: [2]}")
    assert all("adapter.rank" in space for space in found.values())


def test_a_method_can_have_other_ranges_than_the_rest() -> None:
    one = "{type: choice, values: [1e-5]}"
    found = spaces(
        "tune.methods=[lora,none]", f"tune.method_space.none.training.learning_rate={one}"
    )
    assert found["none"]["training.learning_rate"] == Choice(values=(1e-5,))
    assert found["lora"]["training.learning_rate"] != Choice(values=(1e-5,))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tune.methods=[lora,lora]"], "names a method twice"),
        (["tune.methods=[lorra]"], "lorra"),
        (
            ["tune.methods=[lora]", "tune.method_space.none.seed={type: choice, values: [1]}"],
            "method_space has none, which is not one of methods",
        ),
        (["tune.sampler=grid"], r"training\.learning_rate is a range"),
        (
            ["tune.scheduler=pbt", "tune.space={seed: {type: choice, values: [1]}}"],
            r"scheduler=pbt changes training\.learning_rate",
        ),
        (
            ["tune.methods=[none]", "tune.method_space.none.data.path={type: choice, values: [1]}"],
            "data.path cannot be searched",
        ),
    ],
)
def test_a_search_over_methods_that_cannot_work_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(overrides=words)


CHOICES = "{training.learning_rate: {type: choice, values: [1e-4, 2e-4]}}"
RANGES = "{training.learning_rate: {type: loguniform, low: 1e-5, high: 1e-3}}"


def test_a_grid_is_allowed_where_every_method_has_choices_in_place_of_a_range() -> None:
    words = ["tune.sampler=grid", "tune.methods=[lora,none]", f"tune.space={RANGES}"]
    words.append(f"tune.method_space={{lora: {CHOICES}, none: {CHOICES}}}")
    assert load_config(overrides=words).tune.sampler == "grid"


def test_a_grid_with_a_range_of_one_method_is_refused_by_the_key_that_holds_it() -> None:
    words = ["tune.sampler=grid", "tune.methods=[lora,none]", f"tune.space={CHOICES}"]
    words.append(f"tune.method_space={{none: {RANGES}}}")
    with pytest.raises(ConfigError, match=r"set tune\.method_space\.none with choices alone"):
        load_config(overrides=words)


def test_a_grid_of_choices_is_allowed() -> None:
    words = ["tune.sampler=grid", "tune.space={seed: {type: choice, values: [1, 2]}}"]
    assert load_config(overrides=words).tune.sampler == "grid"


def test_the_methods_are_the_types_of_adapters() -> None:
    types = {section.model_fields["type"].default for section in get_args(AdapterConfig)}
    assert set(get_args(Method)) == types
