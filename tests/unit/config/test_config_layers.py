"""Settings from files and overrides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.config import (
    Choice,
    Config,
    DeepspeedStrategy,
    LoraAdapter,
    QloraAdapter,
    load_config,
)
from tests.support.project import PROJECT
from tests.unit.config.conftest import refusal

CONFIGS = PROJECT / "configs"

# Layers


def test_without_settings_the_defaults_apply():
    assert load_config() == Config()


def test_a_file_wins_over_the_defaults(write):
    assert load_config([write("seed: 7")]).seed == 7


def test_a_later_file_wins_over_an_earlier_one(write):
    files = [write("seed: 7\nrun: first", "a.yaml"), write("seed: 8", "b.yaml")]
    config = load_config(files)
    assert (config.seed, config.run) == (8, "first")


def test_a_word_wins_over_every_file(write):
    assert load_config([write("seed: 7")], ["seed=9"]).seed == 9


def test_layers_are_merged_key_by_key_inside_a_section(write):
    config = load_config(
        [write("training: {max_steps: 90, warmup_steps: 3}")], ["training.max_steps=80"]
    )
    assert (config.training.max_steps, config.training.warmup_steps) == (80, 3)


def test_an_empty_file_changes_nothing(write):
    assert load_config([write("# nothing\n")]) == Config()


def test_a_search_space_is_replaced_whole(write):
    file = write("tune: {space: {adapter.rank: {type: choice, values: [4]}}}")
    assert set(load_config([file]).tune.space) == {"adapter.rank"}


def test_one_range_of_the_search_space_can_be_given_as_a_word():
    config = load_config(overrides=["tune.space.adapter.rank={type: choice, values: [4, 8]}"])
    assert config.tune.space == {"adapter.rank": Choice(values=(4, 8))}


@pytest.mark.parametrize("swapped", [False, True], ids=["section-first", "key-first"])
def test_a_section_and_one_of_its_keys_can_both_be_set(swapped):
    words = ["training={learning_rate: 1e-3}", "training.max_steps=500"]
    training = load_config(overrides=words[::-1] if swapped else words).training
    assert (training.learning_rate, training.max_steps) == (1e-3, 500)


@pytest.mark.parametrize(
    "words",
    [
        ["seed=1", "seed=2"],
        ["training={max_steps: 60}", "training.max_steps=70"],
    ],
    ids=["same-word", "inside-a-section"],
)
def test_a_key_given_twice_is_refused(words):
    assert "twice" in refusal(*words)


def test_a_key_below_a_plain_value_is_refused():
    assert "run.name is below" in refusal("run=demo", "run.name=x")


# Scalars


@pytest.mark.parametrize("text", ["1e-4", "1E-4", "0.0001", "1.0e-4", "+1e-4"])
def test_a_number_in_any_notation_is_a_number_in_yaml(write, text):
    assert (
        load_config([write(f"training: {{learning_rate: {text}}}")]).training.learning_rate == 1e-4
    )


def test_a_number_in_scientific_notation_is_a_number_on_the_command_line():
    assert load_config(overrides=["training.learning_rate=1e-4"]).training.learning_rate == 1e-4


@pytest.mark.parametrize("text", ["no", "off", "2026-01-31", "yes"])
def test_a_word_that_yaml_1_1_converts_stays_a_word(write, text):
    assert load_config([write(f"run: {text}")]).run == text


def test_the_norwegian_code_survives_yaml(write):
    assert load_config([write("data: {target_language: no}")]).data.target_language == "nob_Latn"


def test_a_run_of_digits_stays_text_on_the_command_line():
    assert load_config(overrides=["run=123"]).run == "123"


def test_null_on_the_command_line_unsets_a_value(write):
    file = write("training: {patience: 3}")
    assert load_config([file], ["training.patience=null"]).training.patience is None


def test_a_value_may_hold_an_equals_sign():
    url = "s3://bucket/x?scheme=http&region=eu"
    assert load_config(overrides=[f"storage={url}"]).storage == url


@given(rate=st.floats(min_value=1e-12, max_value=0.99))
def test_every_learning_rate_survives_the_command_line(rate):
    assert (
        load_config(overrides=[f"training.learning_rate={rate!r}"]).training.learning_rate == rate
    )


# Unions


def test_a_rank_alone_means_lora():
    adapter = load_config(overrides=["adapter.rank=8"]).adapter
    assert isinstance(adapter, LoraAdapter)
    assert (adapter.type, adapter.rank) == ("lora", 8)


def test_another_type_drops_the_keys_of_the_one_below(write):
    file = write("strategy: {type: deepspeed, zero_stage: 3}")
    assert load_config([file], ["strategy.type=ddp"]).strategy.model_dump() == {"type": "ddp"}


def test_another_type_starts_from_its_own_defaults(write):
    file = write("adapter: {type: lora, rank: 99}")
    assert load_config([file], ["adapter.type=qlora"]).adapter == QloraAdapter()


@pytest.mark.parametrize("given_type", ["", "type: lora, "], ids=["implied", "said"])
def test_the_same_type_keeps_the_keys_of_the_one_below(write, given_type):
    file = write(f"adapter: {{{given_type}rank: 99}}")
    assert load_config([file], ["adapter.type=lora"]).adapter == LoraAdapter(rank=99)


def test_an_unknown_type_lists_the_known_ones():
    assert "adapter.type: 'lorra' is not one of 'none', 'lora', 'qlora'" in refusal(
        "adapter.type=lorra"
    )


def test_a_range_without_a_type_lists_the_types():
    assert "choice or uniform or loguniform" in refusal("tune.space={seed: {values: [1]}}")


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_deepspeed_is_a_valid_strategy(stage):
    words = ["strategy.type=deepspeed", f"strategy.zero_stage={stage}", "scaling.workers=4"]
    assert load_config(overrides=words).strategy == DeepspeedStrategy(zero_stage=stage)


def test_qlora_is_a_valid_adapter():
    words = ["adapter.type=qlora", "adapter.rank=4", "adapter.quantization=fp4"]
    assert load_config(overrides=words).adapter == QloraAdapter(rank=4, quantization="fp4")


def test_the_default_search_omits_settings_that_the_adapter_lacks():
    config = load_config(overrides=["adapter.type=bottleneck"])
    assert list(config.search_spaces["bottleneck"]) == ["training.learning_rate"]


def test_a_search_space_of_the_user_is_not_changed():
    words = ["adapter.type=ia3", "tune.space.adapter.rank={type: choice, values: [4, 8]}"]
    assert list(load_config(overrides=words).search_spaces["ia3"]) == ["adapter.rank"]


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("en_ta_*.yaml")), ids=lambda file: file.stem)
def test_a_ready_config_takes_no_revision_from_a_release_with_another_model(file):
    release = {"model": {"name_or_path": "facebook/other", "revision": "refs/pr/1"}}
    config = load_config([file], base=("release", release))
    assert config.model.revision != "refs/pr/1"
