"""Settings that are refused, and the messages."""

import pytest

from nmt.config import (
    load_config,
)
from nmt.config.root import RESERVED_RUNS
from tests.unit.config.conftest import refusal

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
def test_a_file_that_is_not_a_mapping_is_refused_by_name(tmp_path, content, said):
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
def test_a_word_that_is_not_an_override_is_refused(word):
    assert "is not an override" in refusal(word)


def test_a_broken_list_on_the_command_line_is_refused():
    assert "adapter.target_modules=[a: not valid YAML: line 1, column 3" in refusal(
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


def test_an_unknown_key_without_a_similar_one_lists_the_known_keys():
    assert "Known here: cpus_per_worker, gpus_per_worker" in refusal("scaling.zzzz=1")


def test_a_dotted_key_in_a_file_is_refused_with_the_right_form(write):
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
def test_a_key_of_another_type_is_refused_with_its_type(words, message):
    assert refusal(*words) == f"{message}; the key is set in the command line"


def test_all_errors_are_reported_at_once():
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
def test_the_origin_of_a_part_of_a_value_is_reported(word):
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


# Rules


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scaling.workers=2"], "scaling.workers (2) must be 1 with strategy.type=single"),
        (
            ["scaling.workers=2", "strategy.type=ddp", "scaling.gpus_per_worker=0.5"],
            "gpus_per_worker (0.5) must be 0 or 1 with several workers (2)",
        ),
        (["training.warmup_steps=1200"], "warmup_steps (1200) must be below max_steps (1200)"),
        (
            ["data.validation_fraction=0.5", "data.test_fraction=0.5"],
            "leave nothing to train on",
        ),
        (["serving.min_replicas=3"], "min_replicas (3) must not be above max_replicas (2)"),
        (["tune.grace_steps=700"], "grace_steps (700) must not be above max_steps (600)"),
        (["data.target_path=a.ta"], "target_path is set but path is not"),
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
        "two-workers-on-one-gpu",
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


@pytest.mark.parametrize("value", ["inf", "nan", "1e999"])
def test_a_number_is_finite(value):
    assert "finite number" in refusal(f"adapter.alpha={value}")


@pytest.mark.parametrize("run", RESERVED_RUNS)
def test_a_run_cannot_have_the_name_of_a_reserved_folder(run):
    assert "choose another name" in refusal(f"run={run}")


@pytest.mark.parametrize("run", ["", "-a", "a-", "A", "a/b", "..", "a b", "x" * 64, "a\n"])
def test_an_invalid_run_name_is_refused(run):
    assert refusal(f"run={run}").startswith("run: ")


@pytest.mark.parametrize("run", ["a", "0", "en-ta.v2_1", "x" * 63])
def test_a_run_name_of_letters_digits_and_marks_is_accepted(run):
    assert load_config(overrides=[f"run={run}"]).run == run


@pytest.mark.parametrize("name", ["shared", "embed_tokens", "lm_head"])
def test_tied_embeddings_are_refused_as_adapter_targets(name):
    message = refusal(f"adapter.target_modules=[q_proj, {name}]")
    assert "share one matrix" in message
    assert name in message


def test_an_adapter_without_targets_is_refused():
    assert "name at least one linear layer" in refusal("adapter.target_modules=[]")
