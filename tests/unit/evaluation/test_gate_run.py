"""The gate of a run, on systems that translate without a model."""

import math
import sys
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from nmt.config import load_config
from nmt.errors import InputError
from nmt.evaluation.gate import run as gate_run
from nmt.evaluation.gate.run import judge_run
from nmt.runs.gate import GateResult
from nmt.storage import Storage
from nmt.traffic import promote
from tests.support.evaluation.fake_systems import REFERENCES, SOURCES, FakeSystem, sentences_of
from tests.support.runs.evaluated_run import export, leave_engine

MANY = 60
NEWS = sentences_of("news", SOURCES * (MANY // 4))
NEWS = type(NEWS)("news", NEWS.sources, (REFERENCES * (MANY // 4),), "eng_Latn", "tam_Taml")
HINDI = sentences_of("hindi", target_language="hin_Deva")
RIGHT = dict(zip(SOURCES, REFERENCES, strict=True))


@dataclass
class FakeEngine(FakeSystem):
    digest: str = ""


class FakeSets:
    """The test sets of a run, without prepared data."""

    given = (NEWS, HINDI)

    def __init__(self, config, storage) -> None:
        pass

    def read(self, named):
        return {each.name: each for each in self.given}

    def describe(self, test_sets):
        from nmt.data.test_sets import describe_set
        from nmt.evaluation.test_sets import EvaluatedSet

        return {
            each.name: EvaluatedSet(each, describe_set(each, forgetting=False), None)
            for each in test_sets
        }


@pytest.fixture
def storage(tmp_path, monkeypatch) -> Storage:
    """A storage root where run a has an engine, and b is another one."""
    storage = Storage(str(tmp_path / "runs"))
    export(storage, "a")
    leave_engine(storage, "b")
    answers = {"a": RIGHT.__getitem__, "b": lambda source: RIGHT[source].split()[0]}
    monkeypatch.setattr(
        gate_run,
        "find_engine",
        lambda config, storage, digest: FakeEngine(digest, answer=answers[digest], digest=digest),
    )
    monkeypatch.setattr(gate_run, "TestSets", FakeSets)
    base = FakeSystem("base", answer=lambda source: "இல்லை.")
    fake = SimpleNamespace(find_base=lambda config, storage: base)
    monkeypatch.setitem(sys.modules, "nmt.evaluation.models", fake)
    return storage


def judge(storage: Storage, *words: str) -> GateResult:
    words = ("run=a", "evaluation.bootstrap_samples=100", *words)
    return judge_run(load_config(overrides=words), storage)


def test_an_engine_is_compared_with_the_one_that_serves(storage):
    promote(storage, "default", "b")
    found = judge(storage)
    assert (found.verdict, found.engine, found.baseline) == ("accept", "a", "b")
    assert found.route == "eng_Latn-tam_Taml"
    (news,) = found.sets
    assert (news.name, news.sentences, news.use) == ("news", MANY, 1)
    assert news.difference > 10


def test_the_usual_lengths_of_what_serves_are_kept_for_a_rollout(storage):
    promote(storage, "default", "b")
    lengths = judge(storage).baseline_lengths
    assert lengths
    shares = sorted(len(RIGHT[each].split()[0]) / len(each) for each in SOURCES)
    middle = (math.log(shares[1]) + math.log(shares[2])) / 2
    assert lengths.median == pytest.approx(middle)
    assert lengths.deviation > 0


def test_where_nothing_serves_it_is_compared_with_its_base(storage):
    found = judge(storage)
    assert (found.verdict, found.baseline) == ("accept", None)


def test_an_engine_that_serves_already_is_refused(storage):
    promote(storage, "default", "a")
    with pytest.raises(InputError, match="serves engine a of run 'a' already"):
        judge(storage)


def test_a_set_that_an_engine_cannot_translate_is_left_out_with_the_reason(storage):
    found = judge(storage)
    assert found.left_out == {"hindi": "engine: it speaks Tamil only"}


def test_without_a_set_that_can_decide_nothing_is_translated(storage):
    with pytest.raises(InputError, match="no test set can decide"):
        judge(storage, "gate.sets=[hindi]")
    with pytest.raises(InputError, match=r"gate\.sets names typo: run 'a' has the test sets news"):
        judge(storage, "gate.sets=[typo]")


def test_the_same_engines_get_the_same_answer_and_use_the_set_once(storage):
    first, second = judge(storage), judge(storage)
    assert first == second
    assert second.sets[0].use == 1


def test_another_engine_uses_the_set_again_and_has_an_equal_share_of_the_error_rate(storage):
    judge(storage)
    promote(storage, "default", "b")
    found = judge(storage)
    assert found.sets[0].use == 2
    assert found.error_rate == pytest.approx(0.05 / 20)


def test_another_choice_of_sets_uses_each_of_them_again(storage, monkeypatch):
    half = MANY // 2
    more = replace(
        NEWS,
        name="more",
        sources=NEWS.sources[:half],
        references=tuple(each[:half] for each in NEWS.references),
    )
    monkeypatch.setattr(FakeSets, "given", (NEWS, more))
    uses = [judge(storage, *words) for words in ((), ("gate.error_rate=0.05",))]
    monkeypatch.setattr(FakeSets, "given", (NEWS,))
    uses.append(judge(storage))
    assert [found.sets[0].use for found in uses] == [1, 1, 2]


def test_the_same_sentences_under_two_names_count_once(storage, monkeypatch):
    copy = replace(NEWS, name="copy")
    monkeypatch.setattr(FakeSets, "given", (NEWS, copy))
    found = judge(storage)
    assert [each.name for each in found.sets] == ["news"]
    assert found.left_out == {"copy": "it has the same sentences as news"}


def test_a_limit_for_a_set_that_does_not_exist_is_refused(storage):
    with pytest.raises(InputError, match=r"gate\.largest_losses names typo"):
        judge(storage, "gate.largest_losses.typo=2")
