import json
import subprocess
import sys
from pathlib import Path

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.config import (
    Choice,
    Config,
    DeepspeedStrategy,
    LoraAdapter,
    NoAdapter,
    QloraAdapter,
    TuneConfig,
    load_config,
)
from nmt.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def write(tmp_path):
    """Write a YAML file and return its path."""

    def written(text: str, name: str = "settings.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def refusal(*words: str, files=()) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(files, words)
    return str(caught.value)


# Layers


def test_nothing_given_is_the_defaults():
    assert load_config() == Config()


def test_a_file_wins_over_the_defaults(write):
    assert load_config([write("seed: 7")]).seed == 7


def test_a_later_file_wins_over_an_earlier_one(write):
    files = [write("seed: 7\nrun: first", "a.yaml"), write("seed: 8", "b.yaml")]
    config = load_config(files)
    assert (config.seed, config.run) == (8, "first")


def test_a_word_wins_over_every_file(write):
    assert load_config([write("seed: 7")], ["seed=9"]).seed == 9


def test_layers_meet_key_by_key_inside_a_section(write):
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
def test_a_section_and_a_key_of_it_may_both_be_words(swapped):
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
    assert "run.name lies below" in refusal("run=demo", "run.name=x")


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


# Files and words that cannot be read


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: [", "not valid YAML"),
        (b"- a\n- b", "holds a list"),
        (b"plain", "holds a str"),
        (b"run: \xff", "byte 5 is not UTF-8"),
    ],
    ids=["no-yaml", "list", "word", "no-utf-8"],
)
def test_a_file_that_is_no_mapping_is_refused_by_name(tmp_path, content, said):
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    message = refusal(files=[path])
    assert f"--config {path}" in message
    assert said in message


def test_a_missing_file_is_refused_by_name(tmp_path):
    assert refusal(files=[tmp_path / "gone.yaml"]) == f"--config {tmp_path}/gone.yaml: no such file"


def test_a_folder_as_file_is_refused(tmp_path):
    assert "cannot be read" in refusal(files=[tmp_path])


@pytest.mark.parametrize("word", ["run", "=x", "a..b=1", ".run=1", "run.=1"])
def test_a_word_that_is_no_override_is_refused(word):
    assert "is not an override" in refusal(word)


def test_a_broken_list_on_the_command_line_is_refused():
    assert "adapter.target_modules=[a: not a valid YAML value" in refusal(
        "adapter.target_modules=[a"
    )


# Unknown keys


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("traning.max_steps=5", "'training'"),
        ("training.max_step=5", "'training.max_steps'"),
        ("training.rank=5", "'adapter.rank'"),
        ("workers=2", "'scaling.workers'"),
        ("max_steps=5", "'training.max_steps' or 'tune.max_steps'"),
        ("max_step=5", "'training.max_steps' or 'tune.max_steps'"),
        ("tune.trails=3", "'tune.trials'"),
        ("adapter.typ=none", "'adapter.type'"),
    ],
    ids=[
        "section-typo",
        "leaf-typo",
        "leaf-in-another-section",
        "leaf-without-section",
        "leaf-of-two-sections",
        "leaf-typo-without-section",
        "letters-swapped",
        "inside-a-union",
    ],
)
def test_an_unknown_key_is_refused_with_a_near_one(word, near):
    key = word.partition("=")[0]
    message = refusal(word)
    assert f"{key.split('.')[0]}" in message
    assert "unknown key (set in the command line)" in message
    assert f"Did you mean {near}" in message


def test_an_unknown_key_with_nothing_near_lists_what_is_known():
    assert "Known here: cpus_per_worker, gpus_per_worker" in refusal("scaling.zzzz=1")


def test_dots_in_a_file_are_explained(write):
    assert "In a file, nest it" in refusal(files=[write("training.max_steps: 5")])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["strategy.zero_stage=2"],
            "strategy.zero_stage: belongs to strategy.type=deepspeed, and strategy.type is single",
        ),
        (
            ["strategy.offload=true", "strategy.type=ddp"],
            "strategy.offload: belongs to strategy.type=deepspeed, and strategy.type is ddp",
        ),
        (
            ["adapter.type=none", "adapter.rank=8"],
            "adapter.rank: belongs to adapter.type=lora or qlora, and adapter.type is none",
        ),
        (
            ["tune.space.seed={type: choice, values: [1], low: 0}"],
            "tune.space.seed.low: belongs to tune.space.seed.type=uniform or loguniform, "
            "and tune.space.seed.type is choice",
        ),
    ],
    ids=["default-type", "other-type", "several-types", "search-range"],
)
def test_a_key_of_another_type_says_to_which_it_belongs(words, message):
    assert refusal(*words) == f"{message}; the key is set in the command line"


def test_every_fault_is_named_at_once():
    message = refusal("run=Upper", "seed=x", "nope=1")
    assert [line.split(":")[0].strip() for line in message.splitlines()[1:]] == [
        "run",
        "seed",
        "nope",
    ]


# Origins


def test_a_bad_value_names_the_file_it_is_from(write):
    first, second = write("training: {max_steps: 100}", "a.yaml"), write("seed: minus", "b.yaml")
    message = refusal(files=[first, second])
    assert message.startswith("seed: ")
    assert "got 'minus'" in message
    assert message.endswith(f"(set in {second})")


def test_a_bad_word_over_a_good_file_names_the_command_line(write):
    message = refusal("training.max_steps=0", files=[write("training: {max_steps: 100}")])
    assert message.endswith("(set in the command line)")


@pytest.mark.parametrize(
    "word",
    [
        "adapter.target_modules=[1]",
        "tune.space={seed: {type: choice, values: []}}",
        "adapter.type=x",
    ],
    ids=["item-of-a-list", "search-range", "type"],
)
def test_the_origin_of_a_part_of_a_value_is_named(word):
    assert refusal(word).endswith("(set in the command line)")


def test_a_section_typo_in_a_file_names_the_file(write):
    file = write("traning: {max_steps: 3}")
    assert f"traning: unknown key (set in {file})" in refusal(files=[file])


@pytest.mark.parametrize(
    ("word", "like"), [("adapter=lora", ", like adapter.type,"), ("training=5", "its keys, not")]
)
def test_a_plain_value_for_a_section_is_refused(word, like):
    message = refusal(word)
    assert "is a section" in message
    assert like in message


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


# Rules


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scaling.workers=2"], "scaling.workers (2) must be 1 with strategy.type=single"),
        (["training.warmup_steps=1200"], "warmup_steps (1200) must be below max_steps (1200)"),
        (
            ["data.validation_fraction=0.5", "data.test_fraction=0.5"],
            "leave nothing to train on",
        ),
        (["serving.min_replicas=3"], "min_replicas (3) must not be above max_replicas (2)"),
        (["tune.grace_steps=700"], "grace_steps (700) must not be above max_steps (600)"),
        (["data.target_path=a.ta"], "target_path is set and path is not"),
        (["data.target_language=en"], "are both eng_Latn"),
        (
            ["tune.space.seed={type: uniform, low: 2, high: 1}"],
            "tune.space.seed: low (2.0) must be below high (1.0)",
        ),
        (["tune.space.seed={type: loguniform, low: 0, high: 1}"], "above 0 on a logarithmic scale"),
        (["tune.space.seed={type: uniform, low: nan, high: 1}"], "finite number"),
    ],
    ids=[
        "single-with-two-workers",
        "warmup",
        "fractions",
        "replicas",
        "grace",
        "target-without-source",
        "languages",
        "empty-range",
        "log-of-zero",
        "not-a-number",
    ],
)
def test_settings_that_contradict_each_other_are_refused(words, said):
    assert said in refusal(*words)


def test_two_workers_with_ddp_are_accepted():
    assert load_config(overrides=["scaling.workers=2", "strategy.type=ddp"]).scaling.workers == 2


@pytest.mark.parametrize("run", ["engines", "serving"])
def test_a_folder_of_the_storage_root_is_no_run_name(run):
    assert "choose another name" in refusal(f"run={run}")


@pytest.mark.parametrize("run", ["", "-a", "a-", "A", "a/b", "..", "a b", "x" * 64, "a\n"])
def test_a_run_name_that_is_no_folder_name_is_refused(run):
    assert refusal(f"run={run}").startswith("run: ")


@pytest.mark.parametrize("run", ["a", "0", "en-ta.v2_1", "x" * 63])
def test_a_run_name_of_letters_digits_and_marks_is_accepted(run):
    assert load_config(overrides=[f"run={run}"]).run == run


@pytest.mark.parametrize("name", ["shared", "embed_tokens", "lm_head"])
def test_tied_embeddings_are_no_adapter_targets(name):
    message = refusal(f"adapter.target_modules=[q_proj, {name}]")
    assert "share one matrix" in message
    assert name in message


def test_an_adapter_without_targets_is_refused():
    assert "name at least one linear layer" in refusal("adapter.target_modules=[]")


# What was set


def test_explicit_names_what_was_set_in_any_layer(write):
    config = load_config([write("data: {cleaning: {max_words: 9}}")], ["run=x", "adapter.rank=8"])
    assert config.explicit() == {"data.cleaning.max_words", "run", "adapter.rank"}


def test_a_value_equal_to_its_default_counts_as_set():
    assert load_config(overrides=["seed=1"]).explicit() == {"seed"}


def test_explicit_survives_overrides_and_takes_them_in(write):
    config = load_config([write("adapter: {rank: 8}")], ["run=x"])
    copy = config.with_overrides({"training.learning_rate": 1e-3})
    assert copy.explicit() == config.explicit() | {"training.learning_rate"}


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
    assert load_config([path]).explicit()


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
