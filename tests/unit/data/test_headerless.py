"""Tables without a header, columns by number, and scores."""

from pathlib import Path

import pytest

from nmt.config import DataConfig
from nmt.data.read import Input, open_inputs
from nmt.errors import DataError

PAIRS = [("one two", "ஒன்று இரண்டு"), ("three", "மூன்று")]


def opened(path: Path, content: str, **settings: object) -> Input:
    path.write_text(content, encoding="utf-8")
    corpus = {"path": str(path), **settings}
    return next(open_inputs(DataConfig.model_validate({"corpora": {"mined": corpus}})))


def read(path: Path, content: str, **settings: object) -> list[tuple[str, str]]:
    return [(pair.source, pair.target) for pair in opened(path, content, **settings).rows]


def fault(path: Path, content: str, **settings: object) -> str:
    with pytest.raises(DataError) as caught:
        read(path, content, **settings)
    return str(caught.value)


MINED = "".join(f"1.{n}\t{s}\t{t}\n" for n, (s, t) in enumerate(PAIRS))
TATOEBA = "".join(f"{n}\t{s}\t{n + 9}\t{t}\n" for n, (s, t) in enumerate(PAIRS, start=1))


def test_columns_are_chosen_by_number(tmp_path: Path) -> None:
    assert read(tmp_path / "x.tsv", MINED, source_column="2", target_column="3") == PAIRS
    assert read(tmp_path / "x.tsv", TATOEBA, source_column="2", target_column="4") == PAIRS
    csv = TATOEBA.replace("\t", ",")
    assert read(tmp_path / "x.csv", csv, source_column="2", target_column="4") == PAIRS


def test_a_header_is_recognised_beside_numbers(tmp_path: Path) -> None:
    header = f"score\tEnglish\tta\n{MINED}"
    assert read(tmp_path / "x.tsv", header, source_column="2", target_column="3") == PAIRS
    unknown = f"score\tfirst\tsecond\n{MINED}"
    columns = {"source_column": "2", "target_column": "3", "score_column": "1"}
    assert read(tmp_path / "x.tsv", unknown, **columns) == PAIRS


def test_bars_separate_cells(tmp_path: Path) -> None:
    text = "".join(f"{source} ||| {target}\n" for source, target in PAIRS)
    assert read(tmp_path / "x.tsv", text) == PAIRS
    assert read(tmp_path / "x.txt", text, format="tsv") == PAIRS


@pytest.mark.parametrize("setting", ["1", "score"])
def test_scores_are_read_from_tables(tmp_path: Path, setting: str) -> None:
    content = f"score\ten\tta\n{MINED}\tx\ty\n"
    rows = list(opened(tmp_path / "x.tsv", content, score_column=setting).rows)
    assert [row.score for row in rows] == [1.0, 1.1, None]
    assert [row.line for row in rows] == [2, 3, 4]


def test_scores_are_read_from_records(tmp_path: Path) -> None:
    content = '{"en": "a", "ta": "b", "laser": 1.5}\n{"en": "a", "ta": "b", "laser": "2"}\n'
    rows = list(opened(tmp_path / "x.jsonl", content, score_column="laser").rows)
    assert [row.score for row in rows] == [1.5, 2.0]


@pytest.mark.parametrize("score", ["high", "nan"])
def test_a_score_that_is_not_a_number_is_damage(tmp_path: Path, score: str) -> None:
    content = f"score\ten\tta\n{MINED}{score}\tx\ty\n"
    message = fault(tmp_path / "x.tsv", content, score_column="score")
    assert f"line 4: the score '{score}' is not a number" in message


def test_wrong_columns_are_refused_with_their_settings(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    assert "by number (1 is the first column) if the file has no header" in fault(path, MINED)
    message = fault(path, MINED, source_column="2", target_column="4")
    assert "there is no column 4, since the first row has 3" in message
    assert "data.corpora.mined.target_column" in message
    assert "set them to two columns" in fault(path, MINED, source_column="2", target_column="2")
    message = fault(path, f"score\ten\tta\n{MINED}", score_column="skore")
    assert "data.corpora.mined.score_column is 'skore'" in message
    assert "Did you mean 'score'" in message


@pytest.mark.parametrize(
    "keys", [("src", "ref"), ("sourceString", "targetString"), ("prompt", "completion")]
)
def test_usual_names_of_the_sides_are_known(tmp_path: Path, keys: tuple[str, str]) -> None:
    text = "".join(f"{n}\t{s}\t{t}\n" for n, (s, t) in enumerate(PAIRS))
    assert read(tmp_path / "x.tsv", f"key\t{keys[0]}\t{keys[1]}\n{text}") == PAIRS


def test_a_usual_name_goes_before_a_rare_one(tmp_path: Path) -> None:
    text = "".join(f"Translate.\t{s}\t{t}\tx {t}\n" for s, t in PAIRS)
    assert read(tmp_path / "x.tsv", f"prompt\tsource\ttarget\tref\n{text}") == PAIRS
