"""COMET runs on Ray with packages that this project's environment does not have."""

import json
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from nmt.runs.evaluation import EvaluationResult
from tests.support.project import PROJECT

PACKAGE = '''
"""Stands for COMET: the score of a translation is its share of the reference's characters."""
import sys
from types import SimpleNamespace

def load_from_checkpoint(path):
    assert sys.prefix != open(path).read(), "not in an environment of its own"
    return Model()

class Model:
    def predict(self, rows, batch_size, gpus, progress_bar):
        return SimpleNamespace(scores=[len(row["mt"]) / len(row["ref"]) for row in rows])
'''
SCRIPT = """
import sys
from ray_jobs.cli.main import main
from ray_jobs.scoring import comet_scores

comet_scores.PACKAGES = (sys.argv[1],)
sys.exit(main(sys.argv[2:]))
"""


def write_wheel(folder: Path) -> Path:
    """A wheel with the names of COMET's, written by hand so that no index is asked."""
    wheel = folder / "unbabel_comet-9.9-py3-none-any.whl"
    info = "unbabel_comet-9.9.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("comet.py", PACKAGE)
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: unbabel-comet\nVersion: 9.9\n"
        )
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def light_environment(folder: Path) -> Path:
    """An environment that finds this one's packages: Ray copies it, and this one is large."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    entries = [str(PROJECT), *(entry for entry in sys.path if entry.endswith("site-packages"))]
    (packages / "all.pth").write_text("\n".join(entries))
    return folder / "bin" / "python"


@pytest.mark.skipif(find_spec("pip") is None, reason="Ray installs packages with pip")
def test_comet_is_installed_and_run_in_an_environment_of_its_own(tmp_path):
    assert find_spec("comet") is None
    python = light_environment(tmp_path / "environment")
    for name, text in {
        "news.en": "one\ntwo\n",
        "a.ta": "அஅஅஅ\nஅஅ\n",
        "b.ta": "அஅ\nஅஅ\n",
        "half.ta": "அஅ\nஅ\n",
        "model.ckpt": str(python.parents[1]),
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    words = [
        "score", "evaluation.bootstrap_samples=100", "--source", "news.en", "--language", "ta",
        "--reference", "a.ta", "b.ta", "--hypotheses", "half=half.ta",
        "--with", "comet", "--comet-model", str(tmp_path / "model.ckpt"), "--output", "out",
    ]  # fmt: skip
    command = [python, "-c", SCRIPT, write_wheel(tmp_path), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    result = EvaluationResult.model_validate(
        json.loads((tmp_path / "out/evaluation.json").read_bytes())
    )
    score = result.score("half", "news", "comet")
    assert score, done.stdout
    # Of each sentence the mean over its references: (0.5 + 1) / 2 and 0.5.
    assert score.value == pytest.approx(0.625)
    assert score.signature.startswith("comet|model:model.ckpt|sha256:")
    assert score.signature.endswith("|version:9.9|refs:2|mean")
