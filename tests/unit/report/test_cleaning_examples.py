"""Examples of dropped pairs in the summary of a run."""

from pathlib import Path
from typing import Any

import pytest

from nmt.report.cleaning_examples import read_examples
from nmt.runs import layout
from nmt.storage import Storage


def found(count: int) -> dict[str, Any]:
    pairs = [{"source": f"s{number}", "target": "t"} for number in range(count)]
    return {"count": count, "examples": pairs}


def test_each_rule_has_at_most_three_examples_from_all_inputs(tmp_path: Path):
    storage = Storage(str(tmp_path))
    cleaned = {
        "news": {"read": 9, "kept": 5, "dropped": {"markup": found(2), "empty": found(0)}},
        "web": {"read": 9, "kept": 5, "dropped": {"markup": found(2)}},
    }
    storage.write_json(layout.cleaning_report("demo"), cleaned)
    examples = read_examples(storage, "demo")
    assert list(examples) == ["markup"]
    assert [pair.source for pair in examples["markup"]] == ["s0", "s1", "s0"]


@pytest.mark.parametrize("cleaned", [None, {"markup": 3}], ids=["no file", "earlier release"])
def test_a_run_of_an_earlier_release_has_no_examples(tmp_path: Path, cleaned: Any):
    storage = Storage(str(tmp_path))
    if cleaned:
        storage.write_json(layout.cleaning_report("demo"), cleaned)
    assert read_examples(storage, "demo") == {}
