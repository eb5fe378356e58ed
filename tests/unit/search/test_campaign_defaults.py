"""What a campaign does unless the user has set it."""

import pytest

from nmt.config import load_with_user_set
from nmt.storage import Storage
from ray_jobs.campaign import with_defaults
from ray_jobs.runtime.context import Session


def session(tmp_path, *words: str) -> Session:
    loaded = load_with_user_set(overrides=words)
    return with_defaults(Session(loaded.config, Storage(str(tmp_path)), loaded.user_set))


@pytest.mark.parametrize(
    ("word", "methods"),
    [
        ("adapter.type=lora", ("lora", "none")),
        ("adapter.type=oft", ("oft", "none")),
        ("adapter.type=none", ("lora", "none")),
    ],
)
def test_full_fine_tuning_is_compared_with_an_adapter(tmp_path, word, methods):
    assert session(tmp_path, word).config.tune.methods == methods


def test_baselines_are_evaluated(tmp_path):
    found = session(tmp_path)
    assert found.config.evaluation.baselines == ("memory", "few-shot", "retrieved")
    assert "evaluation.baselines" in found.user_set


def test_what_the_user_has_set_stays(tmp_path):
    found = session(tmp_path, "tune.methods=[lora]", "evaluation.baselines=[memory]")
    assert found.config.tune.methods == ("lora",)
    assert found.config.evaluation.baselines == ("memory",)
