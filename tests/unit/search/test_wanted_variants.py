"""Which trainings a campaign makes beside the run's own."""

from collections.abc import Mapping

import pytest

from nmt.config import SEEDS, load_config
from nmt.runs.results import TrainResult
from nmt.runs.variants import Variant, VariantsResult, spread_of
from nmt.storage import Storage
from ray_jobs import variants
from ray_jobs.runtime.context import Session
from ray_jobs.search.best_trial import BestTrial
from ray_jobs.variants import WantedVariant, wanted_variants


def trained(score: float | None = 40.0) -> TrainResult:
    return TrainResult(
        trained_parameters=10, left_out=0, steps=9, validation_sentences=60, best_score=score
    )


def wanted(
    tmp_path, monkeypatch, *words: str, found: Mapping[str, BestTrial] | None = None
) -> list[WantedVariant]:
    monkeypatch.setattr(variants, "find_best_of_methods", lambda session, other_than: found or {})
    session = Session(load_config(overrides=words), Storage(str(tmp_path)), frozenset())
    return list(wanted_variants(session, trained()))


def test_each_further_seed_is_a_training_with_the_same_settings(tmp_path, monkeypatch):
    found = wanted(tmp_path, monkeypatch, "campaign.seeds=3", "seed=7")
    assert [(each.name, each.config.seed) for each in found] == [("seed-2", 8), ("seed-3", 9)]
    assert len({each.folder for each in found}) == 2


def test_after_the_last_seed_comes_the_first(tmp_path, monkeypatch):
    found = wanted(tmp_path, monkeypatch, "campaign.seeds=3", f"seed={SEEDS - 2}")
    assert [each.config.seed for each in found] == [SEEDS - 1, 0]


def test_one_seed_and_no_other_method_need_no_training(tmp_path, monkeypatch):
    assert wanted(tmp_path, monkeypatch, "campaign.seeds=1") == []


def test_the_best_settings_of_every_other_method_are_trained(tmp_path, monkeypatch):
    full = load_config(overrides=["adapter.type=none", "training.learning_rate=1e-5"])
    found = wanted(
        tmp_path, monkeypatch, "campaign.seeds=1",
        found={"none": BestTrial(full, "checkpoints"), "ia3": BestTrial(full)},
    )  # fmt: skip
    assert [(each.name, each.kind) for each in found] == [("full", "method"), ("ia3", "method")]
    assert found[0].config.training.learning_rate == 1e-5
    assert found[0].start_from == "checkpoints"


def test_other_methods_are_left_out_where_that_is_set(tmp_path, monkeypatch):
    other = BestTrial(load_config(overrides=["adapter.type=none"]))
    words = ("campaign.seeds=1", "campaign.methods=false")
    assert wanted(tmp_path, monkeypatch, *words, found={"none": other}) == []


def test_all_are_validated_on_as_many_sentences_as_the_runs_own(tmp_path, monkeypatch):
    (one,) = wanted(tmp_path, monkeypatch, "campaign.seeds=2", "training.validation_share=0.1")
    assert one.config.training.validation_sentences == 60
    assert one.config.training.validation_share is None


def test_a_variant_with_other_settings_has_another_folder(tmp_path, monkeypatch):
    (one,) = wanted(tmp_path, monkeypatch, "campaign.seeds=2")
    (other,) = wanted(tmp_path, monkeypatch, "campaign.seeds=2", "training.max_steps=77")
    assert one.folder != other.folder


def variant(name: str, score: float | None) -> Variant:
    return Variant(
        name=name, kind="seed" if name.startswith("seed") else "method", method="lora",
        seed=1, folder="f", trained=trained(score), weights="w",
    )  # fmt: skip


def test_the_spread_is_over_the_seeds_alone():
    spread = spread_of(trained(40.0), (variant("seed-2", 42.0), variant("full", 10.0)))
    assert spread is not None
    assert spread.scores == (40.0, 42.0)
    assert (spread.mean, spread.deviation) == pytest.approx((41.0, 2**0.5))
    assert spread_of(trained(), (variant("full", 10.0),)) is None


def test_the_headline_names_the_spread_and_the_other_methods():
    done = (variant("seed-2", 42.0), variant("full", 39.5))
    result = VariantsResult(metric="chrf++", variants=done, spread=spread_of(trained(), done))
    assert result.headline() == "chrF++ 41.00 ± 1.41 over 2 seeds, full 39.50"
