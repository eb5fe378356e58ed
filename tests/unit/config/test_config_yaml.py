"""YAML in files and overrides: nothing is lost, and numbers are those of YAML 1.2."""

import pytest

from nmt.config import load_config
from tests.unit.config.conftest import refusal

REPEATED = {
    "a key": ("seed: 1\nrun: x\nseed: 2", "seed is given twice, in lines 1 and 3"),
    "a section": (
        "training: {max_steps: 500}\nrun: x\ntraining:\n  warmup_steps: 10",
        "training is given twice, in lines 1 and 3",
    ),
    "a key of a section": (
        "data:\n  path: a.tsv\n  max_pairs: 9\n  path: b.tsv",
        "data.path is given twice, in lines 2 and 4",
    ),
    "a key in braces": (
        "adapter: {rank: 8, alpha: 16,\n  rank: 4}",
        "adapter.rank is given twice, in lines 1 and 2",
    ),
    "the same key quoted": ("seed: 1\n'seed': 2", "seed is given twice, in lines 1 and 2"),
    "a range of a search": (
        "tune:\n  space:\n    seed: {type: choice, values: [1]}\n"
        "    seed: {type: choice, values: [2]}",
        "tune.space.seed is given twice, in lines 3 and 4",
    ),
    "a key beside what is merged": (
        "training: {<<: {max_steps: 900}, patience: 3,\n patience: 4}",
        "training.patience is given twice, in lines 1 and 2",
    ),
    "a merge": (
        "data:\n  <<: {path: a.tsv}\n  <<: {path: b.tsv}",
        "data.<< is given twice, in lines 2 and 3",
    ),
    "a key in a list": (
        "tune: {space: {a: [{x: 1}, {y: 1,\n y: 2}]}}",
        "tune.space.a.y is given twice, in lines 1 and 2",
    ),
}


@pytest.mark.parametrize("name", REPEATED)
def test_a_repeated_key_in_a_file_is_refused_with_both_lines(write, name):
    text, said = REPEATED[name]
    path = write(text)
    assert refusal(files=[path]) == f"--config {path}: {said}: keep one of them"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("data={path: a, path: b}", "path is given twice"),
        ("tune.space={seed: {type: choice, type: choice}}", "seed.type is given twice"),
        ("adapter.target_modules=[{a: 1, a: 2}]", "a is given twice"),
    ],
    ids=["section", "nested", "list"],
)
def test_a_repeated_key_in_an_override_is_refused(word, said):
    assert refusal(word).startswith(f"{word}: {said}")


def test_a_key_overrides_what_is_merged(write):
    path = write("data: &mine {max_pairs: 9, path: a.tsv}\n")
    text = path.read_text("utf-8")
    assert load_config([path]).data.max_pairs == 9
    path = write(f"{text}tune: {{<<: {{trials: 1, max_steps: 700}}, trials: 3}}")
    assert (load_config([path]).tune.trials, load_config([path]).tune.max_steps) == (3, 700)


@pytest.mark.parametrize(
    ("text", "number"),
    [("010", 10), ("-0", 0), ("+7", 7), ("0o17", 15), ("0x1F", 31), ("1_000", 1000), ("5.0", 5)],
)
def test_a_whole_number_is_that_of_yaml_1_2(write, text, number):
    assert load_config([write(f"seed: {text}")]).seed == number


@pytest.mark.parametrize("text", ["0b11", "1:30", "0x", "0o8", "!!int x"])
def test_text_that_is_not_a_yaml_1_2_number_is_refused_as_a_number(write, text):
    assert text.removeprefix("!!int ") in refusal(files=[write(f"seed: {text}")])


@pytest.mark.parametrize("text", ["12:30", "=", "0b1", "2026-01-31", "190:20:30"])
def test_text_that_yaml_1_1_takes_for_a_number_stays_text(write, text):
    assert load_config([write(f"data: {{path: {text}}}")]).data.path == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("training: &a\n  extra: *a", "training.extra contains an alias of itself"),
        ("data: {path: &a [*a]}", "data.path contains an alias of itself"),
        ("[run]: x", "the key in line 1 is not a word"),
        ("run: x\n? {a: 1}\n: y", "the key in line 2 is not a word"),
        ("run: !!bool maybe", "not valid YAML"),
        ("run: !!float ''", "not valid YAML"),
        ("run: !!timestamp 2026", "not valid YAML: line 1, column 6"),
        ("run: !!python/object/apply:os.getcwd []", "not valid YAML: line 1, column 6"),
        ("seed: 1\n---\nseed: 2", "not valid YAML: line 2, column 1: expected a single document"),
        ("run: " + "[" * 5000, "not valid YAML: nested too deeply"),
        ("seed: " + "1" * 5000, "not valid YAML"),
    ],
    ids=[
        "mapping-in-itself", "list-in-itself", "list-as-key", "mapping-as-key", "bool", "float",
        "timestamp",
        "object", "two-documents", "deep", "long-number",
    ],
)  # fmt: skip
def test_yaml_that_cannot_be_settings_is_refused_in_one_line(write, text, said):
    path = write(text)
    message = refusal(files=[path])
    assert message.startswith(f"--config {path}: {said}")
    assert "\n" not in message


def test_a_key_that_is_not_text_is_reported_as_written(write):
    assert refusal(files=[write("data: {010: x}")]).startswith("data.010: unknown key")
