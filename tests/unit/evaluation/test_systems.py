"""The systems that an evaluation names, and what is refused before anything is translated."""

import sys
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from nmt.data.test_sets import TestSet
from nmt.engines.card import EngineCard, Golden, write_card
from nmt.errors import InputError, NmtError
from nmt.evaluation.system import System
from nmt.evaluation.systems import find_systems
from nmt.evaluation.translations import Translators
from nmt.runs.running import run_step
from nmt.runs.steps import BASE, EXPORT, PREPARE, STEPS, TRAIN, AnyStep
from nmt.storage import Storage
from nmt.traffic import promote
from tests.support.evaluation.fake_systems import SOURCES, FakeSystem, sentences_of
from tests.support.runs.finished_steps import Work, config

OWN, OTHER, HINDI = "0000000000aa", "0000000000bb", "0000000000cc"


def write_engine(storage: Storage, digest: str, run: str, target: str = "tam_Taml") -> None:
    """Leave an engine without a model, and the record of its export."""
    with storage.commit(f"engines/{digest}") as folder:
        card = EngineCard(
            run=run,
            base="nllb",
            license="mit",
            source_language="eng_Latn",
            target_language=target,
            max_source_tokens=64,
            golden=Golden(source="a", target="b"),
        )
        write_card(folder, card)
        (folder / "model.bin").write_bytes(b"\0" * 100)
    earlier: list[AnyStep] = [PREPARE, BASE, TRAIN]
    for step in earlier:
        run_step(storage, config(f"run={run}"), step, Work(output="one"))
    run_step(storage, config(f"run={run}"), EXPORT, Work(output=digest))


@pytest.fixture
def storage(tmp_path, monkeypatch) -> Storage:
    """A storage root with a run, another one, and one that translates to Hindi."""
    models = {"base": FakeSystem("base"), "tuned": FakeSystem("tuned")}
    fake = SimpleNamespace(find_models=lambda config, storage: dict(models))
    monkeypatch.setitem(sys.modules, "nmt.evaluation.models", fake)
    storage = Storage(str(tmp_path / "runs"))
    write_engine(storage, OWN, "demo")
    write_engine(storage, OTHER, "other")
    write_engine(storage, HINDI, "hindi", "hin_Deva")
    return storage


def found(
    storage: Storage, *words: str, named: tuple[str, ...] = ("x",), sets: Sequence[TestSet] = ()
) -> dict[str, System]:
    test_sets = {each.name: each for each in sets or [sentences_of("news")]}
    return find_systems(config(*words), storage, test_sets, named)


def test_the_engine_of_the_run_is_a_system_with_its_serving_settings(storage):
    engine = found(storage, "serving.beam_size=4", "serving.length_penalty=1.5")["engine"]
    info = engine.info
    assert (info.kind, info.engine, info.run, info.device) == ("engine", OWN, "demo", "cpu")
    assert info.decoding
    assert (info.decoding.method, info.decoding.beam_size) == ("beam", 4)
    assert (info.decoding.length_penalty, info.decoding.precision) == (1.5, "int8")
    assert info.size_bytes
    assert info.size_bytes > 100


@pytest.mark.parametrize("word", ["run=other", f"engine={OTHER}", "endpoint=live"])
def test_another_engine_is_named_by_its_run_its_digest_or_an_endpoint(storage, word):
    promote(storage, "live", OTHER)
    systems = found(storage, f"evaluation.systems.x.{word}")
    assert list(systems) == ["base", "tuned", "engine", "x"]
    assert systems["x"].info.engine == OTHER


def test_of_an_endpoint_the_engine_of_the_runs_languages_is_meant(storage):
    promote(storage, "live", HINDI)
    promote(storage, "live", OTHER)
    assert found(storage, "evaluation.systems.x.endpoint=live")["x"].info.engine == OTHER


@pytest.mark.parametrize("word", ["serving.beam_size=2", "serving.length_penalty=2"])
def test_an_engine_with_another_search_is_another_system(storage, word):
    assert found(storage)["engine"].content("news") != found(storage, word)["engine"].content(
        "news"
    )


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("run=gone", r"has no step 'export': run `nmt export run=gone` first"),
        ("engine=ffffffffffff", r"engine=ffffffffffff is not in .*engines: name the run"),
        ("endpoint=gone", r"endpoint=gone serves no engine: .*nmt promote.*: indic"),
        ("endpoint=indic", r"endpoint=indic has no route eng_Latn-tam_Taml, .*eng_Latn-hin_Deva$"),
        ("run=hindi", r"none of the test sets: the engine translates eng_Latn to hin_Deva only"),
    ],
)
def test_an_engine_that_is_missing_or_does_not_fit_is_refused_by_name(storage, word, said):
    promote(storage, "indic", HINDI)
    with pytest.raises(InputError, match=rf"^evaluation\.systems\.x: .*{said}"):
        found(storage, f"evaluation.systems.x.{word}")


def test_an_engine_may_fit_some_of_the_sets_only(storage):
    hindi = sentences_of("hindi", target_language="hin_Deva")
    news = sentences_of("news")
    system = found(storage, "evaluation.systems.x.run=hindi", sets=[news, hindi])["x"]
    assert system.find_obstacle(hindi) is None
    assert system.find_obstacle(news)


def test_a_file_of_translations_must_have_a_line_for_each_sentence(storage, tmp_path):
    place = tmp_path / "given.txt"
    place.write_text("one\ntwo\n", "utf-8")
    word = f"evaluation.systems.x.hypotheses.test={place}"
    with pytest.raises(InputError, match=r"^evaluation\.systems\.x: .*2 translations.* 4 sent"):
        found(storage, word, sets=[sentences_of("test")])


def test_kept_translations_stand_in_for_a_system_that_is_gone(storage, caplog):
    news = sentences_of("news")
    Translators(storage, "demo", {"x": FakeSystem("x")}).translate([news])
    system = found(storage, "evaluation.systems.x.run=gone", named=())["x"]
    with system.load() as loaded:
        output = loaded.translate(news, lambda count: None)
    assert list(output.hypotheses) == [f"x: {source}" for source in SOURCES]
    assert "its kept translations are scored" in caplog.text


def test_a_system_that_is_gone_and_has_no_translations_is_refused(storage):
    with pytest.raises(NmtError, match=r"^evaluation\.systems\.x: "):
        found(storage, "evaluation.systems.x.run=gone", named=())


def test_every_step_before_the_evaluation_is_required():
    assert STEPS["evaluate"].required == "export"
