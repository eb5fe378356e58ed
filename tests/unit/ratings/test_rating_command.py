"""The command `nmt ratings`, from translations to a decision."""

import pytest

from nmt.ratings.sources import outputs_of_run
from nmt.ratings.studies import read_design, read_keys
from nmt.runs import layout
from nmt.runs.evaluation import BASE_SYSTEM, ENGINE_SYSTEM, TEST_SET
from nmt.scoring.stored import HypothesisRow, write_rows
from nmt.storage import Storage
from ray_jobs.cli.main import main
from tests.support.ratings.studies import fill_in, score_by
from tests.support.runs import evaluated_run

SENTENCES = 50


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {
        "news.en": [f"This is sentence number {number}." for number in range(SENTENCES)],
        "news.ta": [f"words of sentence {number} here" for number in range(SENTENCES)],
        "old.ta": [f"word of sentence {number} there" for number in range(SENTENCES)],
        "new.ta": [f"words of sentence {number} there" for number in range(SENTENCES)],
    }
    for name, lines in files.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return tmp_path


def nmt(capsys, words):
    code = main(["ratings", *words.split()])
    shown = capsys.readouterr()
    return code, shown.out + shown.err


FILES = (
    "--source news.en --reference news.ta --language ta "
    "--hypotheses old=old.ta new=new.ta --rows 20"
)


def rate(place, folder, study, means):
    storage = Storage(str(place / "runs"))
    (key,) = read_keys(storage, read_design(storage, "demo", study))
    path = place / folder / "batch-1-1.csv"
    path.write_bytes(fill_in(path.read_bytes(), key, score_by(means)))
    return path


def test_sheets_go_out_and_a_decision_comes_back(place, capsys):
    code, shown = nmt(capsys, f"sheet run=demo {FILES} --output sheets")
    assert code == 0
    assert "batch 1 of 3 has 20 sentences" in shown
    path = rate(place, "sheets", "news.da", {"old": 50.0, "new": 70.0})
    code, shown = nmt(capsys, f"import {path} run=demo")
    assert code == 0
    assert "new against old: accept, after look 1 of 3" in shown
    assert "Krippendorff's alpha of 'score' (interval)" in shown
    assert "chrf++  translations" in shown
    assert nmt(capsys, "report run=demo")[1] in shown


def test_an_undecided_study_says_how_to_go_on_and_goes_on(place, capsys):
    nmt(capsys, f"sheet run=demo {FILES} --output sheets")
    path = rate(place, "sheets", "news.da", {"old": 50.0, "new": 51.5})
    _, shown = nmt(capsys, f"import {path} run=demo")
    assert "undecided, after look 1 of 3" in shown
    assert "nmt ratings sheet run=demo --name news.da" in shown
    code, shown = nmt(capsys, "sheet run=demo --name news.da --output sheets")
    assert code == 0
    assert "batch 2 of 3" in shown


def test_a_later_study_takes_the_weight_of_the_metric_from_an_earlier_one(place, capsys):
    rows = FILES.replace("--rows 20", "--rows 50")
    nmt(capsys, f"sheet run=demo {rows} --output sheets")
    path = rate(place, "sheets", "news.da", {"old": 50.0, "new": 70.0})
    nmt(capsys, f"import {path} run=demo")
    code, _ = nmt(
        capsys, f"sheet run=demo {rows} --name later --earlier demo/news.da --output later"
    )
    assert code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "what to do?"),
        ("shee", "Did you mean 'sheet'?"),
        ("import run=demo", "give the files"),
        ("report x run=demo", "takes no file"),
        ("sheet run=demo", "--output DIR"),
        ("report run=demo --restart", "--restart would lose"),
        ("report run=demo", "has 0 studies"),
        ("report run=demo --name x", "has no study 'x'"),
        ("import none.csv run=demo", "none.csv: cannot be read"),
        ("sheet run=demo --output s", "has no step 'evaluate'"),
        ("sheet run=demo --source news.en --output s", "need --source, --hypotheses and"),
        (f"sheet run=demo {FILES} --systems old,x --output s", "--systems names others"),
        (f"sheet run=demo {FILES} --raters 0 --output s", "--raters"),
        (f"sheet run=demo {FILES} --earlier demo --output s", "has no study ''"),
    ],
)
def test_a_mistake_gets_one_line_and_exit_code_2(place, capsys, words, message):
    code, shown = nmt(capsys, words)
    assert code == 2
    assert message in shown
    assert len(shown.splitlines()) == 1


@pytest.mark.parametrize(
    ("option", "message"),
    [("--looks 2", "--looks: study 'news.da' was made with 3"), ("--rows 0", "--rows: study")],
)
def test_a_named_study_refuses_other_options_than_it_was_made_with(place, capsys, option, message):
    nmt(capsys, f"sheet run=demo {FILES} --output sheets")
    code, shown = nmt(capsys, f"sheet run=demo --name news.da {option} --output sheets")
    assert code == 2
    assert message in shown


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--set talks", "--set: study 'news.da' was made with news, which cannot change"),
        ("--earlier demo/none", "run 'demo' has no study 'none'"),
        (
            "--earlier demo/other",
            "--earlier: study 'news.da' was made with 0 rating points for each point of the metric",
        ),
    ],
)
def test_a_named_study_does_not_ignore_its_set_and_an_earlier_study(place, capsys, option, message):
    rows = FILES.replace("--rows 20", "--rows 50")
    nmt(capsys, f"sheet run=demo {rows} --name other --output others")
    rate(place, "others", "other", {"old": 50.0, "new": 70.0})
    nmt(capsys, "import others/batch-1-1.csv run=demo")
    nmt(capsys, f"sheet run=demo {FILES} --output sheets")
    code, shown = nmt(capsys, f"sheet run=demo --name news.da {option} --output sheets")
    assert code == 2
    assert message in shown


def test_a_named_study_goes_on_with_the_options_that_it_was_started_with(place, capsys):
    # Of 50 sentences and one rater it keeps 3 looks, and none that all raters get.
    options = "--rows 20 --looks 6 --shared 10 --raters 1 --set news"
    nmt(capsys, f"sheet run=demo {FILES} {options} --output sheets")
    code, shown = nmt(capsys, f"sheet run=demo --name news.da {options} --output sheets")
    assert code == 0
    assert "study 'news.da': batch 1 of 3" in shown


def test_the_translations_of_an_evaluation_are_rated(tmp_path):
    storage = Storage(str(tmp_path))
    evaluated_run.evaluate(storage, "demo")
    for system in (BASE_SYSTEM, ENGINE_SYSTEM):
        row = HypothesisRow(source="a", references=("b",), hypothesis=system, scores={"bleu": 1.0})
        content = write_rows([row, row.model_copy(update={"scores": {}})])
        storage.write_bytes(layout.hypotheses("demo", TEST_SET, system), content)
    found = outputs_of_run(storage, "demo", TEST_SET)
    assert found.systems == {name: [name, name] for name in (BASE_SYSTEM, ENGINE_SYSTEM)}
    assert found.scores["bleu"][ENGINE_SYSTEM] == [1.0, None]
    with pytest.raises(Exception, match="--systems none"):
        outputs_of_run(storage, "demo", TEST_SET, (BASE_SYSTEM, "none"))
    with pytest.raises(Exception, match="--set none"):
        outputs_of_run(storage, "demo", "none")
