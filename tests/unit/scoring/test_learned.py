import hashlib

import pytest

from nmt.errors import DataError
from nmt.scoring.learned import LearnedScores, read_learned_scores


def read(tmp_path, text: str, metric: str = "comet", name: str = "scores.txt") -> LearnedScores:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return read_learned_scores(str(tmp_path / name), metric, "google", 3)


COMET_OUTPUT = (
    "out.ta\tSegment 0\tscore: 0.5\nout.ta\tSegment 1\tscore: 0.25\n"
    "out.ta\tSegment 2\tscore: 1.0\nout.ta\tscore: 0.5833\n"
)


@pytest.mark.parametrize(
    "text",
    [
        "0.5\n0.25\n1\n",
        " 0.5 \n2.5e-1\n1.0",
        COMET_OUTPUT,
        "source\tscore\na\t0.5\nb\t0.25\nc\t1\n",
        '{"score": 0.5}\n{"score": 0.25}\n{"score": 1}\n',
        '{"prediction": 0.5, "source": "a"}\n{"prediction": 0.25}\n{"prediction": 1}\n',
        "# comet|model:x\n0.5\n0.25\n1\n",
    ],
    ids=["numbers", "spaces", "comet-score", "table", "JSON", "MetricX", "with a signature"],
)
def test_scores_are_read_from_what_other_programs_write(tmp_path, text):
    assert read(tmp_path, text).values.tolist() == [0.5, 0.25, 1.0]


def test_the_first_line_may_be_the_signature(tmp_path):
    assert read(tmp_path, "# comet|model:x|version:2\n1\n2\n3\n").signature == (
        "comet|model:x|version:2"
    )


def test_without_one_the_signature_names_the_file_and_its_content(tmp_path):
    # What `sha256sum` prints for the file.
    digest = hashlib.sha256(b"1\n2\n3\n").hexdigest()[:12]
    signature = read(tmp_path, "1\n2\n3\n", name="a.txt").signature
    assert signature == f"comet|file:a.txt|sha256:{digest}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\n2\n", r"has 2 comet scores of 'google', and the test set has 3 sentences"),
        ("1\nnan\n3\n", "line 2: 'nan' is not a score"),
        ("1\ninf\n3\n", "line 2: 'inf' is not a score"),
        ("1\n\n3\n", "line 2: '' is not a score"),
        ("# a signature\n1\nx\n3\n", "line 3: 'x' is not a score"),
        (COMET_OUTPUT + "Seed set to 1\n", "line 5: 'Seed set to 1' is not a line"),
        ("a\tb\n1\t2\n", "its columns are a, b: name the one with the scores 'score'"),
        ("a\tscore\n1\t2\n3\n", "line 3: 1 cells, and the header has 2"),
        ('{"scores": 1}\n', "line 1: has no key 'score'"),
        ('{"score": 1}\noops\n{"score": 1}\n', "line 2: 'oops' is not JSON"),
        ('{"score": null}\n{"score": 1}\n{"score": 1}\n', "line 1: 'None' is not a score"),
    ],
)
def test_scores_that_do_not_fit_are_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)
