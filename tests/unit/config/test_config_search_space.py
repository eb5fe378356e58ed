"""The settings that a search may vary."""

import pytest

from nmt.config import Config, load_config
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


@pytest.mark.parametrize("key", ["adapter.rank", "adapter.type", "training.learning_rate", "seed"])
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
