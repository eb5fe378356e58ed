"""`nmt score` from the command line: files in, scores and a folder out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from nmt.runs.evaluation import EvaluationResult
from nmt.scoring.stored import read_rows
from ray_jobs.cli import main
from tests.support.project import PROJECT
from tests.support.untouched_process import untouched  # noqa: F401 - a fixture of every test

WORDS = ["மருத்துவர்", "வீட்டில்", "இருக்கிறார்", "நேற்று", "இன்று", "நாளை", "பள்ளி", "ஆசிரியர்", "வந்தார்", "போனார்"]
SENTENCES = 24
PLACES = ("home", "school")
SOURCES = [f"The doctor saw patient {n} at {PLACES[n % 2]}." for n in range(SENTENCES)]
REFERENCES = [
    [f"{' '.join(WORDS[(n + i) % 10] for i in range(5))} {n}." for n in range(SENTENCES)],
    [f"{' '.join(WORDS[(n + i) % 10] for i in range(6))} {n}" for n in range(SENTENCES)],
]
GOOD = [
    f"{' '.join(WORDS[(n + i + n % 3 // 2) % 10] for i in range(5))} {n}." for n in range(SENTENCES)
]
POOR = [text if n % 2 else text.replace("ர்", "") for n, text in enumerate(GOOD)]


@pytest.fixture
def files(tmp_path, monkeypatch) -> Path:
    """A folder with a test set and the translations of two systems, which is the working folder."""
    texts = {
        "news.en": SOURCES,
        "a.ta": REFERENCES[0],
        "b.ta": REFERENCES[1],
        "good.ta": GOOD,
        "poor.ta": POOR,
    }
    for name, lines in texts.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


ONE_SET = ["--source", "news.en", "--reference", "a.ta", "b.ta", "--language", "ta"]
SYSTEMS = ["--hypotheses", "good=good.ta", "poor=poor.ta"]
FAST = "evaluation.bootstrap_samples=100"


def code_of(*words: str) -> int:
    return main.main(["score", *words])


def result_of(folder: Path) -> EvaluationResult:
    return EvaluationResult.model_validate(json.loads((folder / "evaluation.json").read_bytes()))


def test_the_scores_are_those_of_sacrebleu_by_default(files):
    assert code_of(FAST, *ONE_SET, *SYSTEMS, "--output", "out") == 0
    result = result_of(files / "out")
    metrics = {"bleu": BLEU(), "chrf": CHRF(), "chrf++": CHRF(word_order=2), "ter": TER()}
    for system, texts in (("good", GOOD), ("poor", POOR)):
        for name, metric in metrics.items():
            score = result.score(system, "news", name)
            assert score
            assert score.value == pytest.approx(metric.corpus_score(texts, REFERENCES).score)
            assert score.signature == str(metric.get_signature())
    info = result.test_sets["news"]
    assert (info.sentences, info.references, len(info.digest)) == (SENTENCES, 2, 12)
    assert (info.source_language, info.target_language) == ("eng_Latn", "tam_Taml")


def test_the_first_system_is_the_baseline(files):
    assert code_of(FAST, *ONE_SET, *SYSTEMS, "--output", "out") == 0
    pairs = {(row.baseline, row.system) for row in result_of(files / "out").comparisons}
    assert pairs == {("good", "poor")}


def test_the_output_has_every_sentence_and_a_page(files, capsys):
    assert code_of(FAST, *ONE_SET, *SYSTEMS, "--output", "out") == 0
    place = files / "out" / "hypotheses" / "news" / "poor.jsonl"
    rows = list(read_rows(place.read_bytes(), str(place)))
    assert [row.hypothesis for row in rows] == POOR
    assert [row.source for row in rows] == SOURCES
    assert rows[3].references == (REFERENCES[0][3], REFERENCES[1][3])
    assert rows[3].scores.keys() >= {"bleu", "chrf", "chrf++"}

    assert "Scores on news" in (files / "out" / "report.html").read_text("utf-8")
    printed = capsys.readouterr().out
    assert "good" in printed
    assert f"written to {files / 'out'}" in printed


def test_without_an_output_nothing_is_written(files, capsys):
    before = sorted(files.iterdir())
    assert code_of(FAST, *ONE_SET, *SYSTEMS) == 0
    assert sorted(files.iterdir()) == before
    assert "BLEU" in capsys.readouterr().out


def test_stored_translations_bring_their_test_set(files):
    assert code_of(FAST, *ONE_SET, *SYSTEMS, "--output", "out") == 0
    stored = [f"{name}=out/hypotheses/news/{name}.jsonl" for name in ("good", "poor")]
    assert code_of(FAST, "--language", "ta", "--hypotheses", *stored, "--output", "again") == 0
    assert result_of(files / "again") == result_of(files / "out")


def test_settings_name_several_test_sets(files):
    settings = files / "sets.yaml"
    settings.write_text(
        """
evaluation:
  bootstrap_samples: 100
  sets:
    news: {path: news.en, target_path: [a.ta, b.ta]}
    talks: {path: news.en, target_path: b.ta}
  systems:
    good: {hypotheses: {news: good.ta, talks: good.ta}}
    poor: {hypotheses: {news: poor.ta}}
"""
    )
    assert code_of("--config", str(settings), "--output", "out") == 0
    result = result_of(files / "out")
    assert {name: info.references for name, info in result.test_sets.items()} == {
        "news": 2,
        "talks": 1,
    }
    assert result.score("good", "talks", "bleu")
    assert result.score("poor", "talks", "bleu") is None
    missing = [(row.system, row.test_set) for row in result.not_computed if row.metric == "all"]
    assert missing == [("poor", "talks")]


def test_scores_of_another_program_are_in_the_result(files):
    (files / "good.comet").write_text("".join(f"{n / 100}\n" for n in range(SENTENCES)))
    words = [FAST, *ONE_SET, *SYSTEMS, "--scores", "comet:good=good.comet", "--output", "out"]
    assert code_of(*words) == 0
    result = result_of(files / "out")
    score = result.score("good", "news", "comet")
    assert score
    assert score.value == pytest.approx(0.115)
    assert score.interval
    assert score.interval[0] < 0.115 < score.interval[1]
    assert score.signature.startswith("comet|file:good.comet|sha256:")
    missing = {row.metric: row for row in result.not_computed}
    assert missing["comet"].system == "poor"
    assert "--scores metricx:SYSTEM=FILE" in missing["metricx"].reason


def test_comet_without_its_ray_is_not_computed_and_the_command_succeeds(files, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert code_of(FAST, *ONE_SET, *SYSTEMS, "--with", "comet", "--output", "out") == 0
    reasons = {row.metric: row.reason for row in result_of(files / "out").not_computed}
    assert "127.0.0.1:1" in reasons["comet"]
    assert "--scores comet:SYSTEM=FILE" in reasons["comet"]


def test_comet_is_not_started_where_every_system_has_scores(files, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    (files / "all.comet").write_text("0.5\n" * SENTENCES)
    scores = ["--scores", "comet:good=all.comet", "comet:poor=all.comet", "--with", "comet"]
    assert code_of(FAST, *ONE_SET, *SYSTEMS, *scores, "--output", "out") == 0
    assert "comet" not in {row.metric for row in result_of(files / "out").not_computed}


def test_words_of_the_training_make_slices(files):
    (files / "train.en").write_text(
        "the doctor saw patient 0 1 2 3 4 5 6 7 8 9 10 11 at home\n" * 10
    )
    words = [FAST, *ONE_SET, *SYSTEMS, "--train", "train.en", "--output", "out"]
    assert code_of(*words) == 0
    assert "rare words" in {row.kind for row in result_of(files / "out").slices}


def test_earlier_output_is_replaced_only_on_request(files, capsys):
    assert code_of(FAST, *ONE_SET, *SYSTEMS, "--output", "out") == 0
    assert code_of(FAST, *ONE_SET, *SYSTEMS[:2], "--output", "out") == 2
    assert "holds earlier scores" in capsys.readouterr().err
    assert code_of(FAST, *ONE_SET, *SYSTEMS[:2], "--output", "out", "--restart") == 0
    assert [path.name for path in (files / "out" / "hypotheses" / "news").iterdir()] == [
        "good.jsonl"
    ]


def test_a_folder_of_something_else_is_never_replaced(files, capsys):
    assert code_of(FAST, *ONE_SET, *SYSTEMS, "--output", ".", "--restart") == 2
    assert "the folder holds a.ta, which `nmt score` did not write" in capsys.readouterr().err
    assert (files / "a.ta").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "there is no test set: give --source"),
        (ONE_SET, "test set 'news' has no translations: give --hypotheses SYSTEM=FILE"),
        (SYSTEMS, "there is no test set"),
        ([*ONE_SET, "--hypotheses", "x=gone.ta"], "there is no file gone.ta"),
        (
            [*ONE_SET, "evaluation.systems.x.run=other"],
            "evaluation.systems.x has a model, and `nmt score` only reads files",
        ),
        (
            [*ONE_SET, "evaluation.systems.x.hypotheses={test: good.ta}"],
            "evaluation.systems.x.hypotheses names 'test', which is not a test set here",
        ),
        (
            [*ONE_SET, *SYSTEMS, "evaluation.sets.b={path: news.en, target_path: a.ta}"],
            "there are 2 test sets (b, news), and --hypotheses does not say of which one",
        ),
        (
            [*ONE_SET, *SYSTEMS, "--scores", "comet:x=good.ta"],
            "there are no translations of 'news': the systems are good, poor",
        ),
        (
            [*ONE_SET, *SYSTEMS, "--scores", "comet:good:talks=good.ta"],
            "--scores names the test set 'talks': the test sets are news",
        ),
        ([*ONE_SET, *SYSTEMS, "--train", "gone.en"], "there is no file gone.en"),
        ([*ONE_SET, *SYSTEMS, "--output", "news.en"], "--output news.en: cannot be created"),
        (
            ["--source", "news.en", "--reference", "news.en", "--language", "ta", *SYSTEMS],
            "--reference and --source name the same file",
        ),
        (
            [*ONE_SET[:-1], "en", *SYSTEMS],
            "the test set 'news' would translate eng_Latn into itself: set --source-language",
        ),
    ],
)
def test_wrong_input_is_2_and_one_line(files, capsys, words, message):
    assert code_of(*words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_files_of_different_lengths_are_refused_with_both_numbers(files, capsys):
    (files / "short.ta").write_text("அ\n" * 20, encoding="utf-8")
    assert code_of(*ONE_SET, "--hypotheses", "short=short.ta") == 2
    error = capsys.readouterr().err
    assert "short.ta has 20 translations by 'short', and test set 'news' has 24 sentences" in error
    words = ["--source", "news.en", "--reference", "short.ta", "--language", "ta", *SYSTEMS]
    assert code_of(*words) == 2
    error = capsys.readouterr().err
    assert all(part in error for part in ("news.en", "24", "short.ta", "20"))


def test_neither_torch_nor_ray_is_loaded(files):
    script = (
        "import sys; from ray_jobs.cli.main import main; "
        f"code = main(['score', *{[FAST, *ONE_SET, *SYSTEMS, '--output', 'out']!r}]); "
        "heavy = {'torch', 'ray', 'transformers', 'ctranslate2', 'datasets'} & sys.modules.keys(); "
        "sys.exit(f'loaded: {heavy}' if heavy else code)"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
