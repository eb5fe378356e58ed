"""A finished evaluation is done again when what it was made from has changed."""

from pathlib import Path

import pytest

from nmt.config import Config
from nmt.evaluation.changes import find_changes
from nmt.evaluation.given import GivenSystem
from nmt.evaluation.translations import Translators
from nmt.runs.evaluation import (
    EvaluationResult,
    SystemInfo,
    SystemScore,
    TestSetInfo,
)
from nmt.scoring.hypothesis_files import read_hypotheses
from nmt.storage import Storage
from nmt.traffic import promote
from tests.support.evaluation.fake_systems import REFERENCES, SOURCES, FakeSystem, sentences_of
from tests.support.runs.evaluated_run import export
from tests.support.runs.finished_steps import config

NEWS = sentences_of("news")


class Evaluated:
    """A finished evaluation of one set by a model, an endpoint and a file of translations."""

    def __init__(self, root: Path) -> None:
        self.storage = Storage(str(root / "runs"))
        self.given = root / "given.txt"
        self.given.write_text("".join(f"{text}\n" for text in REFERENCES), "utf-8")
        self.news = root / "news.tsv"
        rows = zip(("source", *SOURCES), ("target", *REFERENCES), strict=True)
        self.news.write_text("".join(f"{a}\t{b}\n" for a, b in rows), "utf-8")
        given = GivenSystem("given", {"news": read_hypotheses(str(self.given), "given", NEWS)})
        systems = {"base": FakeSystem("base"), "live": FakeSystem("live"), "given": given}
        Translators(self.storage, "demo", systems).translate([NEWS])
        for engine in ("engine-a", "engine-b"):
            export(self.storage, engine)
        promote(self.storage, "default", "engine-a")
        infos = {name: SystemInfo() for name in systems}
        infos["live"] = SystemInfo(kind="engine", engine="engine-a")
        self.result = EvaluationResult(
            systems=infos,
            test_sets={"news": TestSetInfo(sentences=len(NEWS), digest=NEWS.digest)},
            scores=tuple(
                SystemScore(system=name, test_set="news", metric="bleu", value=1, signature="")
                for name in systems
            ),
            comparisons=(),
        )

    def settings(self) -> Config:
        return config(
            f"evaluation.sets.news.path={self.news}",
            "evaluation.systems.live.endpoint=default",
            f"evaluation.systems.given.hypotheses.news={self.given}",
        )

    def changes(self, *named: str) -> list[str]:
        return list(find_changes(self.settings(), self.storage, self.result, named))


@pytest.fixture
def evaluated(tmp_path) -> Evaluated:
    return Evaluated(tmp_path)


def test_nothing_has_changed(evaluated):
    assert evaluated.changes("news") == []


def test_translations_that_are_gone(evaluated):
    evaluated.storage.delete("demo/evaluation/hypotheses/news/base.jsonl")
    assert evaluated.changes() == ["the translations of news by base are missing or damaged"]


def test_an_endpoint_that_serves_another_engine(evaluated):
    promote(evaluated.storage, "default", "engine-b")
    assert evaluated.changes() == ["the endpoint default serves another engine"]


@pytest.mark.parametrize("lines", [len(SOURCES), len(SOURCES) - 1], ids=["fits", "too short"])
def test_a_file_of_translations_that_was_edited(evaluated, lines):
    evaluated.given.write_text("x\n" * lines, "utf-8")
    assert evaluated.changes() == [f"the translations in {evaluated.given} have changed"]


def test_a_test_set_that_was_edited_counts_only_where_it_is_named(evaluated):
    evaluated.news.write_text("source\ttarget\na\tb\n", "utf-8")
    assert evaluated.changes() == []
    assert evaluated.changes("news") == ["the text of the test set news has changed"]


def test_files_that_are_gone_leave_the_evaluation_as_it_was(evaluated):
    evaluated.news.unlink()
    evaluated.given.unlink()
    assert evaluated.changes("news") == []
