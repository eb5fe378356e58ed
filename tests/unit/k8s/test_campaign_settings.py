"""The settings of a revision, and what a campaign may not set."""

import json
from typing import Any

import pytest

from k8s.objects.campaign.settings import (
    SECTIONS_OF_THE_RELEASE,
    RevisionSettings,
    for_run,
    revision_settings,
)
from k8s.objects.campaign.spec import CampaignSpec
from nmt.config import BASELINES, load_config
from nmt.errors import ConfigError
from tests.unit.k8s.conftest import make_release


def _settings(own: dict[str, Any], **release: Any) -> RevisionSettings:
    return revision_settings(make_release(**release), CampaignSpec(release="demo", config=own))


def test_the_campaign_is_above_its_release_and_below_are_the_defaults() -> None:
    release = {"training": {"max_steps": 70, "warmup_steps": 5}}
    found = _settings({"training": {"max_steps": 90}}, config=release).config
    assert (found.training.max_steps, found.training.warmup_steps) == (90, 5)


def test_methods_and_baselines_are_compared_unless_the_campaign_says_otherwise() -> None:
    assert _settings({}).config.evaluation.baselines == BASELINES
    assert _settings({}).config.tune.methods == ("lora", "none")
    assert _settings({"evaluation": {"baselines": []}}).config.evaluation.baselines == ()


@pytest.mark.parametrize("section", SECTIONS_OF_THE_RELEASE)
def test_a_section_of_the_release_is_refused(section: str) -> None:
    with pytest.raises(ConfigError, match=rf"spec\.config\.{section} belongs to the release"):
        _settings({section: {}})


@pytest.mark.parametrize(
    "config",
    [
        {"data": {"path": "/etc/passwd"}},
        {"data": {"path": "~/corpus.tmx"}},
        {"data": {"path": "../other/corpus.tmx"}},
        {"data": {"path": "corpora/../../corpus.tmx"}},
        {"data": {"path": "s3://bucket/corpus.tmx"}},
        {"data": {"path": " /etc/passwd"}},
        {"data": {"corpora": {"a": {"path": "a.tmx", "target_path": "/b"}}}},
        {"model": {"name_or_path": "/models/other"}},
        {"evaluation": {"sets": {"news": {"path": "n", "target_path": ["a", "file:///b"]}}}},
        {"evaluation": {"systems": {"x": {"hypotheses": {"test": "/x"}}}}},
        {"tune": {"warm_start": ["../other"]}},
    ],
)
def test_a_path_outside_of_the_storage_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="relative to the storage of its release") as caught:
        _settings(config)
    assert "spec.config." in str(caught.value)
    assert "/storage" in str(caught.value)


@pytest.mark.parametrize("path", [".", "", "./", "runs", "runs/.", "./runs/clinic-r1/prepare"])
@pytest.mark.parametrize(
    ("key", "config"),
    [
        ("data.path", {"data": {"path": "PATH"}}),
        ("data.target_path", {"data": {"path": "a.txt", "target_path": "PATH"}}),
        ("data.validation_path", {"data": {"validation_path": "PATH"}}),
        ("data.test_target_path", {"data": {"test_target_path": "PATH"}}),
        ("data.corpora.a.path", {"data": {"corpora": {"a": {"path": "PATH"}}}}),
        ("evaluation.sets.n.path", {"evaluation": {"sets": {"n": {"path": "PATH"}}}}),
        (
            "evaluation.systems.x.hypotheses.test",
            {"evaluation": {"systems": {"x": {"hypotheses": {"test": "PATH"}}}}},
        ),
    ],
)
def test_a_path_at_which_runs_are_written_is_refused(
    key: str, config: dict[str, Any], path: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        _settings(json.loads(json.dumps(config).replace("PATH", path)))
    message = str(caught.value)
    assert message.startswith(f"spec.config.{key} '{path}' takes in files of runs")
    assert "a folder of its own below /storage" in message


@pytest.mark.parametrize(
    ("runs", "path"),
    [
        ("deep/runs", "deep"),
        ("/storage/deep/runs", "deep/runs/x"),
        (".", "engines"),
        (".", "campaigns/clinic"),
        ("/storage", "clinic-r12/prepare"),
    ],
)
def test_the_root_of_the_runs_is_that_of_the_release(runs: str, path: str) -> None:
    with pytest.raises(ConfigError, match=f"'{path}' takes in files of runs"):
        _settings({"data": {"path": path}}, config={"storage": runs})


@pytest.mark.parametrize("runs", ["runs", ".", "/elsewhere", "s3://bucket/runs"])
def test_a_folder_beside_the_runs_is_taken(runs: str) -> None:
    config = {"storage": runs}
    assert _settings({"data": {"path": "runs-of-text/a"}}, config=config).paths


def test_a_model_that_another_run_has_made_is_taken_but_not_all_runs() -> None:
    path = "runs/first/export/merged"
    model = "model.name_or_path"
    assert _settings({"model": {"name_or_path": path}}).paths[model] == path
    with pytest.raises(ConfigError, match=rf"{model} 'runs' takes in"):
        _settings({"model": {"name_or_path": "runs"}})


def test_a_wrong_setting_is_named_with_the_place_where_it_was_set() -> None:
    with pytest.raises(ConfigError, match=r"spec\.config"):
        _settings({"training": {"max_steps": -1}})


def test_promotion_is_left_to_the_rollout() -> None:
    with pytest.raises(ConfigError, match=r"rollout\.mode"):
        _settings({"campaign": {"promote": True}})


def test_settings_that_no_step_reads_do_not_change_the_inputs() -> None:
    plain = _settings({}).inputs
    assert _settings({"scaling": {"cpus_per_worker": 2}}).inputs == plain
    assert _settings({}, config={"tracking": {"experiment": "x"}}).inputs == plain


def test_a_setting_that_a_step_reads_changes_the_inputs() -> None:
    plain = _settings({}).inputs
    assert _settings({"training": {"max_steps": 90}}).inputs != plain
    assert _settings({}, config={"seed": 7}).inputs != plain
    assert _settings({"tune": {"trials": 9}}).inputs != plain


def test_a_default_that_is_written_out_is_the_same_input() -> None:
    assert _settings({"seed": 1}).inputs == _settings({}).inputs


def test_paths_on_the_storage_are_whole_and_names_of_the_hub_stay() -> None:
    config = {
        "data": {"path": "corpora/mine.tmx", "test_path": "owner/news"},
        "evaluation": {"sets": {"two": {"path": "s.txt", "target_path": ["a.txt", "b.txt"]}}},
        "model": {"name_or_path": "models/nllb"},
    }
    settings = _settings(config)
    there = {
        "data.path",
        "model.name_or_path",
        "evaluation.sets.two.path",
        "evaluation.sets.two.target_path[0]",
        "evaluation.sets.two.target_path[1]",
    }
    assert there < settings.paths.keys()
    loaded = for_run(settings, make_release(), "clinic-r1", there)
    found = loaded.config
    assert found.run == "clinic-r1"
    assert found.data.path == "/storage/corpora/mine.tmx"
    assert found.data.test_path == "owner/news"
    assert found.model.name_or_path == "/storage/models/nllb"
    two = found.evaluation.sets["two"]
    assert (two.path, two.target_path) == ("/storage/s.txt", ("/storage/a.txt", "/storage/b.txt"))
    assert "run=clinic-r1" in loaded.words()
    assert "data.path=/storage/corpora/mine.tmx" in loaded.words()


def test_the_jobs_of_a_run_take_over_what_earlier_runs_have_done() -> None:
    earlier = ("clinic-r2", "clinic-r1")
    loaded = for_run(_settings({}), make_release(), "clinic-r3", (), earlier)
    assert load_config(overrides=loaded.words()).campaign.reuse == earlier


def test_a_campaign_may_name_the_runs_itself_which_is_not_another_input() -> None:
    settings = _settings({"campaign": {"reuse": ["mine"]}})
    loaded = for_run(settings, make_release(), "clinic-r3", (), ("clinic-r2",))
    assert loaded.config.campaign.reuse == ("mine",)
    assert settings.inputs == _settings({}).inputs
