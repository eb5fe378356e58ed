"""A whole evaluation of a small run: its models, its engine, and what is added later."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from nmt.config import Config
from nmt.errors import InputError
from nmt.evaluation import translations as module
from nmt.evaluation.evaluate import evaluate
from nmt.evaluation.kept import find_rows
from nmt.export.publish import export
from nmt.models.sources.source import ModelSource
from nmt.runs import layout
from nmt.runs.evaluation import EvaluationResult
from nmt.runs.records import Record
from nmt.runs.results import PrepareResult
from nmt.runs.steps import EXPORT, PREPARE
from nmt.storage import Storage
from nmt.training.job import TrainingJob
from nmt.training.trainer import run_training
from tests.support.runs.base_record import record_base

NEWS = (
    "source\ttarget\n"
    "The doctor is at home.\tமருத்துவர் வீட்டில் இருக்கிறார்.\n"
    "We go home. Where is the water?\tநாங்கள் வீட்டுக்குப் போகிறோம். தண்ணீர் எங்கே?\n"
)


@dataclass
class Run:
    config: Config
    storage: Storage

    def evaluate(self, *user_set: str, **changes: object) -> EvaluationResult:
        return evaluate(self.config.with_overrides(changes), self.storage, user_set)


@pytest.fixture(scope="module")
def exported(prepared: Path, config: Config, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with the records of all steps up to the export; tests work on copies of it."""
    root = tmp_path_factory.mktemp("evaluated")
    shutil.copytree(prepared / "small/data", root / "small/data")
    storage = Storage(str(root))
    config = config.with_overrides(
        {
            "model.name_or_path": str(prepared / "base"),
            "evaluation.max_sentences": 6,
            "evaluation.bootstrap_samples": 100,
        }
    )
    run_training(
        TrainingJob(
            config=config,
            storage=storage,
            folder="small/train",
            base=ModelSource(str(prepared / "base")),
            data="small/data/pairs",
        )
    )
    record_base(config, storage)
    sizes = {"train": 96, "validation": 12, "test": 12}
    record(storage, PREPARE, PrepareResult(sizes=sizes).as_json())
    result = export(config, storage)
    record(storage, EXPORT, result.as_json(), result.engine, config.settings("export"))
    return Run(config, storage)


def record(storage: Storage, step, result: dict, output: str = "one", settings=None) -> None:
    found = Record(step.name, True, settings or {}, {}, output=output, result=result)
    storage.write_json(layout.step_record("small", step), asdict(found))


@pytest.fixture
def run(exported: Run, tmp_path: Path) -> Run:
    root = tmp_path / "runs"
    shutil.copytree(exported.storage.locate(""), root)
    return Run(exported.config, Storage(str(root)))


def translated(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Which system translated which set, from the log."""
    words = [message.split() for message in caplog.messages if " translates " in message]
    found = [f"{line[2]} {line[4].rstrip(',')}" for line in words]
    caplog.clear()
    return found


def test_base_tuned_model_and_engine_are_scored_and_a_set_is_added_later(run, tmp_path, caplog):
    caplog.set_level("INFO")
    first = run.evaluate()
    assert list(first.systems) == ["base", "tuned", "engine"]
    assert first.comparison("engine", metric="chrf++") is not None
    assert len(translated(caplog)) == 9  # with the validation split
    engine = first.systems["engine"]
    assert (engine.engine, engine.run) == (run.storage.list("engines")[0], "small")
    assert engine.decoding
    assert (engine.decoding.precision, engine.decoding.splits_sentences) == ("int8", True)
    assert first.systems["tuned"].parameters > first.systems["base"].parameters
    assert {info.sentences for info in first.test_sets.values()} == {6}
    before = {
        name: run.storage.read_bytes(layout.hypotheses("small", "test", name))
        for name in first.systems
    }

    (tmp_path / "news.tsv").write_text(NEWS, "utf-8")
    key = "evaluation.sets.news.path"
    second = run.evaluate(key, **{key: str(tmp_path / "news.tsv")})
    assert translated(caplog) == ["base news", "tuned news", "engine news"]
    assert second.test_sets["news"].sentences == 2
    assert second.test_sets["news"].overlap is not None
    scores = {(row.system, row.test_set, row.metric, row.part): row for row in second.scores}
    assert all(
        scores[row.system, row.test_set, row.metric, row.part] == row for row in first.scores
    )
    for name, content in before.items():
        assert run.storage.read_bytes(layout.hypotheses("small", "test", name)) == content


def test_an_evaluation_that_was_killed_goes_on(run, monkeypatch, caplog):
    caplog.set_level("INFO")
    keep = module.keep
    kept: list[str] = []

    def killed(storage, name, test_set, system, *rest) -> None:
        if system == "tuned":
            raise KeyboardInterrupt
        keep(storage, name, test_set, system, *rest)
        kept.append(f"{system} {test_set.name}")

    monkeypatch.setattr(module, "keep", killed)
    with pytest.raises(KeyboardInterrupt):
        run.evaluate()
    monkeypatch.setattr(module, "keep", keep)
    caplog.clear()
    run.evaluate()
    assert kept == ["base test", "base general", "base validation"]
    assert not set(translated(caplog)) & set(kept)


def test_another_engine_and_a_file_of_translations_are_systems(run, tmp_path, caplog):
    digest = run.storage.list("engines")[0]
    run.evaluate()
    sources = [row.source for row in find_rows(run.storage, "small", "test", "base") or []]
    given = tmp_path / "given.txt"
    given.write_text("".join(f"{source}\n" for source in sources), "utf-8")
    found = run.evaluate(
        **{
            "evaluation.systems.other.engine": digest,
            "evaluation.systems.copy.hypotheses.test": str(given),
        }
    )
    assert list(found.systems) == ["base", "tuned", "engine", "other", "copy"]
    same = found.comparison("other", baseline="engine")
    assert same
    assert (same.difference, same.p_value) == (0.0, 1.0)
    assert found.score("copy", "test", "chrf")
    assert found.score("copy", "general", "chrf") is None
    missing = [row for row in found.not_computed if row.system == "copy"]
    assert [(row.test_set, row.metric) for row in missing] == [("general", "all")]


def test_a_file_with_too_few_lines_is_refused_before_anything_is_translated(run, tmp_path, caplog):
    caplog.set_level("INFO")
    (tmp_path / "given.txt").write_text("one\n")
    key = "evaluation.systems.google.hypotheses.test"
    with pytest.raises(InputError, match=r"evaluation\.systems\.google: .*1 translations.* 6 "):
        run.evaluate(key, **{key: str(tmp_path / "given.txt")})
    assert translated(caplog) == []


def test_the_other_direction_is_translated_by_the_models_and_not_by_the_engine(run, tmp_path):
    (tmp_path / "back.tsv").write_text(NEWS.replace("source\ttarget", "target\tsource"), "utf-8")
    found = run.evaluate(
        **{
            "evaluation.sets.back.path": str(tmp_path / "back.tsv"),
            "evaluation.sets.back.source_language": "tam_Taml",
            "evaluation.sets.back.target_language": "eng_Latn",
        }
    )
    assert found.score("tuned", "back", "chrf++")
    missing = [row for row in found.not_computed if row.test_set == "back" and row.system]
    assert [(row.system, row.metric) for row in missing] == [("engine", "all")]
    assert "eng_Latn to tam_Taml only" in missing[0].reason


def test_a_memory_is_scored_beside_the_models_and_an_encoder_decoder_is_not_prompted(run, caplog):
    caplog.set_level("INFO")
    run.evaluate()
    translated(caplog)
    found = run.evaluate(**{"evaluation.baselines": ["memory", "few-shot", "retrieved"]})
    assert translated(caplog) == ["memory test", "memory general"]
    (cost,) = [row for row in found.costs if (row.system, row.test_set) == ("memory", "test")]
    assert cost.characters > 0
    assert found.systems["memory"].size_bytes
    assert found.comparison("memory", metric="chrf++") is not None
    for name in ("few-shot", "retrieved"):
        assert found.score(name, "test", "chrf++") is None
        (row,) = [row for row in found.not_computed if row.system == name]
        assert (row.metric, row.test_set) == ("all", None)
        assert "an encoder-decoder takes no examples" in row.reason
