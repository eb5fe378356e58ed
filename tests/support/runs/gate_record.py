"""The record of a gate, with the decision that a test gives."""

from dataclasses import asdict
from typing import Any

from nmt.runs import layout
from nmt.runs.gate import GateResult, GateRule, GateVerdict, LengthRatio
from nmt.runs.records import Record
from nmt.runs.steps import GATE
from nmt.storage import Storage


def gate_result(verdict: GateVerdict, **changes: Any) -> GateResult:
    """Make a decision by one rule and no test set, unless the changes name others."""
    fields: dict[str, Any] = {
        "reason": "gain: +1.50 chrF++",
        "engine": "a",
        "baseline": "b",
        "endpoint": "default",
        "route": "eng_Latn-tam_Taml",
        "metric": "chrf++",
        "signature": "s",
        "goal": "better",
        "rules_digest": "r",
        "error_rate": 0.0025,
        "difference": 1.5,
        "standard_error": 0.3,
        "low": 0.7,
        "high": 2.0,
        "rules": (GateRule(name="gain", outcome="passed", text="+1.50 chrF++, at least 1.00"),),
        "sets": (),
    }
    return GateResult(verdict=verdict, **(fields | changes))


def leave_decision(
    storage: Storage,
    run: str,
    verdict: GateVerdict,
    *,
    engine: str,
    baseline: str | None = None,
    lengths: LengthRatio | None = None,
) -> GateResult:
    """Record a decision on an engine against a baseline, None for the base."""
    result = gate_result(verdict, engine=engine, baseline=baseline, baseline_lengths=lengths)
    record = Record("gate", True, {}, {}, output="g", result=result.as_json())
    storage.write_json(layout.step_record(run, GATE), asdict(record))
    return result
