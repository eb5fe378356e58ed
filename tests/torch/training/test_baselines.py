"""A decoder-only base of a run, prompted with the training pairs of the run."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType

import pytest

from nmt.config import Config
from nmt.data.saved import load_pairs
from nmt.evaluation.baselines.few_shot import FewShotSystem, LoadedFewShot
from nmt.evaluation.baselines.find import find_baselines
from nmt.evaluation.models import ModelSystem
from nmt.models.sources.source import ModelSource
from nmt.runs import layout
from nmt.runs.evaluation import Decoding, SystemInfo
from nmt.runs.records import Record
from nmt.runs.steps import PREPARE
from nmt.storage import Storage
from tests.support.evaluation.fake_systems import sentences_of
from tests.support.models.tiny_models import build

SOURCES = ("The child cannot read.", "Avoid tea for two days.")
TEST_SET = sentences_of("test", SOURCES)


@pytest.fixture(scope="module")
def storage(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """A run with prepared data, and a decoder-only base."""
    root = tmp_path_factory.mktemp("baselines")
    shutil.copytree(prepared / "small/data", root / "small/data")
    storage = Storage(str(root))
    record = Record("prepare", True, {}, {}, output="data-1")
    storage.write_json(layout.step_record("small", PREPARE), asdict(record))
    build("bloom", root / "model")
    return storage


def base_of(config: Config, storage: Storage) -> ModelSystem:
    return ModelSystem(
        config,
        ModelSource(storage.locate("model")),
        trained=None,
        weights="base-1",
        info=SystemInfo(kind="base", size_bytes=1000, decoding=Decoding(method="greedy")),
        codecs={},
    )


def few_shot(
    config: Config,
    storage: Storage,
    name: str = "few-shot",
    changes: Mapping[str, object] = MappingProxyType({}),
) -> FewShotSystem:
    changed = config.with_overrides({**changes, "evaluation.baselines": [name]})
    (system,) = find_baselines(changed, storage, base_of(changed, storage)).values()
    assert isinstance(system, FewShotSystem)
    return system


def prompts(system: FewShotSystem) -> list[str]:
    with system.load() as loaded:
        assert isinstance(loaded, LoadedFewShot)
        codec = loaded.codec(8192)
        return [codec.tokenizer.decode(ids) for ids in codec.encode_sources(SOURCES)]


def training_lines(storage: Storage) -> set[str]:
    pairs = load_pairs(Path(storage.locate("small/data/pairs")), "train")
    return {f"{pair.source}\n{pair.target}" for pair in pairs}


def examples_in(prompt: str) -> list[str]:
    blocks = prompt.split("Translate English to Tamil:\n")[1:]
    return [block.strip() for block in blocks[:-1]]


def test_all_sentences_get_the_same_random_training_pairs(config, storage):
    first, second = (examples_in(prompt) for prompt in prompts(few_shot(config, storage)))
    assert first == second
    assert len(set(first)) == 5
    assert set(first) <= training_lines(storage)
    again, _ = prompts(few_shot(config, storage, changes={"seed": config.seed + 1}))
    assert examples_in(again) != first


def test_each_sentence_gets_its_own_best_matches_with_the_best_last(config, storage):
    system = few_shot(config, storage, "retrieved", {"evaluation.examples": 3})
    for source, prompt in zip(SOURCES, prompts(system), strict=True):
        matches = system.pairs.memory.find_matches(source, 3)
        expected = [f"{match.pair.source}\n{match.pair.target}" for match in matches]
        assert examples_in(prompt) == expected[::-1]
        assert prompt.endswith(f"Translate English to Tamil:\n{source}\n")


@pytest.mark.parametrize("name", ["few-shot", "retrieved"])
def test_a_prompted_base_translates_with_confidence_and_its_size_is_known(config, storage, name):
    system = few_shot(config, storage, name)
    with system.load() as loaded:
        output = loaded.translate(TEST_SET, lambda count: None)
        info = loaded.info
    assert len(output.hypotheses) == len(SOURCES)
    assert output.confidences is not None
    assert (info.kind, bool(info.parameters)) == (name, True)
    index = system.pairs.memory.size_bytes if name == "retrieved" else 0
    assert info.size_bytes == 1000 + index


def test_examples_that_do_not_fit_are_counted_in_the_log(config, storage, caplog):
    system = few_shot(config, storage, changes={"evaluation.batch_tokens": 200})
    with system.load() as loaded:
        loaded.translate(TEST_SET, lambda count: None)
    assert "few-shot, test: " in caplog.text
    assert "examples did not fit into the prompts of 2 sentences" in caplog.text


@pytest.mark.parametrize("name", ["few-shot", "retrieved"])
def test_what_changes_the_prompts_makes_another_system(config, storage, name):
    before = few_shot(config, storage, name)
    assert few_shot(config, storage, name).content("test") == before.content("test")
    changes: list[dict[str, object]] = [{"evaluation.examples": 2}]
    changes += [{"seed": config.seed + 1}] if name == "few-shot" else []
    for change in changes:
        assert few_shot(config, storage, name, change).content("test") != before.content("test")
    other = replace(before, base=replace(before.base, weights="base-2"))
    assert other.content("test") != before.content("test")


def test_examples_are_of_the_direction_of_the_run(config, storage):
    system = few_shot(config, storage)
    assert system.find_obstacle(TEST_SET) is None
    back = sentences_of("back", source_language="tam_Taml", target_language="eng_Latn")
    assert "the training pairs are eng_Latn to tam_Taml" in (system.find_obstacle(back) or "")
