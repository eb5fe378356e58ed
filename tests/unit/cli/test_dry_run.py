"""`nmt prepare --dry-run`."""

import json
from pathlib import Path

import pytest

from ray_jobs.cli.main import main
from tests.support.sentences import distinct_pairs


def test_a_dry_run_prints_what_is_dropped_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"en": pair.source, "ta": pair.target} for pair in distinct_pairs(30)]
    text = "".join(json.dumps(row) + "\n" for row in [*rows, rows[0]])
    (tmp_path / "x.jsonl").write_text(text)
    assert main(["prepare", "--dry-run", "data.path=x.jsonl"]) == 0
    assert "duplicate" in capsys.readouterr().out
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.jsonl"]
