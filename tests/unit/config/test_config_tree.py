"""The tree of settings as other packages use it."""

import json
import subprocess
import sys

import pydantic
import pytest

from nmt.config import (
    Choice,
    Config,
    DeepspeedStrategy,
    NoAdapter,
    QloraAdapter,
    TuneConfig,
    load_config,
    load_with_user_set,
)
from nmt.errors import ConfigError
from tests.support.project import PROJECT

CONFIGS = PROJECT / "configs"


# What was set


def test_the_keys_that_the_user_set_are_those_of_all_layers(write):
    file = write("data: {cleaning: {max_words: 9}}")
    words, base = ["run=x", "adapter.rank=8"], ("a release", {"storage": "/runs"})
    loaded = load_with_user_set([file], words, base=base)
    assert loaded.user_set == {"data.cleaning.max_words", "run", "adapter.rank", "storage"}


def test_a_value_equal_to_its_default_counts_as_set():
    assert load_with_user_set(overrides=["seed=1"]).user_set == {"seed"}


def test_a_key_whose_section_a_later_layer_replaces_does_not_count_as_set(write):
    loaded = load_with_user_set([write("adapter: {rank: 8}")], ["adapter.type=none"])
    assert loaded.user_set == {"adapter.type"}


@pytest.mark.parametrize(
    "words",
    [
        ["adapter.rank=8"],
        ["adapter.type=qlora", "strategy.type=deepspeed", "strategy.zero_stage=3"],
        ["adapter.target_modules=[q_proj]", "data.max_pairs=null", "seed=1"],
        ["tune.space={adapter.rank: {values: [2, 4], type: choice}}"],
    ],
    ids=["default-type", "other-types", "yaml", "search-space"],
)
def test_the_words_of_a_config_load_as_the_same_config(words):
    loaded = load_with_user_set(overrides=words)
    assert load_with_user_set(overrides=loaded.words()) == loaded


# Copies with other values


def test_the_default_search_space_of_a_copy_still_fits_its_adapter():
    copy = Config().with_overrides({"adapter.type": "ia3"})
    assert list(copy.search_spaces["ia3"]) == ["training.learning_rate"]


def test_overrides_leave_the_original_alone():
    config = load_config(overrides=["run=x"])
    assert config.with_overrides({"adapter.rank": 4}) != config
    assert config == load_config(overrides=["run=x"])


def test_overrides_are_validated():
    with pytest.raises(ConfigError, match=r"adapter\.rank"):
        Config().with_overrides({"adapter.rank": 0})


def test_overrides_do_not_change_what_is_passed_in():
    section = {"rank": 4}
    Config().with_overrides({"adapter": section, "adapter.alpha": 8})
    assert section == {"rank": 4}


@pytest.mark.parametrize(
    "config",
    [
        Config(adapter=NoAdapter()),
        Config(adapter=QloraAdapter(rank=4)),
        Config(strategy=DeepspeedStrategy()),
        Config(tune=TuneConfig(space={"seed": Choice(values=(1, 2))})),
    ],
    ids=["no-adapter", "qlora", "deepspeed", "search-space"],
)
def test_a_section_given_as_an_object_survives_overrides(config):
    assert config.with_overrides({"run": "demo"}) == config


def test_settings_are_flat_and_below_the_given_keys():
    settings = load_config(overrides=["adapter.rank=8"]).settings("adapter", "seed")
    assert settings["adapter.rank"] == 8
    assert {key.partition(".")[0] for key in settings} == {"adapter", "seed"}


def test_settings_do_not_match_by_a_part_of_a_name():
    assert Config().settings("tune.max") == {}


# The tree as a whole


def test_the_digest_is_the_same_whatever_order_and_layer_settings_come_from(write):
    by_file = load_config([write("training: {max_steps: 100}\nseed: 3")])
    by_words = load_config(overrides=["seed=3", "training.max_steps=100"])
    assert by_file.digest() == by_words.digest()


def test_the_digest_is_the_same_in_another_process():
    code = "from nmt.config import load_config; print(load_config(overrides=['seed=3']).digest())"
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert printed.stdout.strip() == load_config(overrides=["seed=3"]).digest()


def test_the_digest_changes_with_a_setting():
    assert load_config(overrides=["seed=3"]).digest() != Config().digest()


@pytest.mark.parametrize(
    ("part", "key"), [("", "run"), ("training", "max_steps"), ("adapter", "rank")]
)
def test_a_setting_cannot_be_assigned(part, key):
    section = getattr(Config(), part) if part else Config()
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        setattr(section, key, 1)


def test_a_dump_loads_as_the_same_config():
    config = load_config(overrides=["adapter.type=qlora", "strategy.type=ddp", "scaling.workers=2"])
    assert Config.parse(json.loads(json.dumps(config.model_dump(mode="json")))) == config


def test_there_are_files_in_configs():
    assert list(CONFIGS.glob("*.yaml"))


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_file_in_configs_loads(path):
    assert load_with_user_set([path]).user_set


def test_the_schema_is_json_and_documents_every_top_level_section():
    schema = json.loads(json.dumps(Config.model_json_schema()))
    assert set(schema["properties"]) == set(Config.model_fields)


def test_importing_the_config_loads_no_heavy_package():
    code = (
        "import sys, nmt.config\n"
        "heavy = {'torch', 'ray', 'transformers', 'pyarrow', 'datasets', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert printed.stdout.strip() == "[]"
