"""What a gate leaves undecided, and people who rate it."""

from pathlib import Path

from nmt.ratings.batches import Key
from nmt.ratings.gate import ask_people, study_name
from nmt.ratings.imports import import_files
from nmt.ratings.studies import read_design, read_keys, write_batch
from nmt.runs import layout
from nmt.runs.gate import GateResult, GateRule, GateSet, Outcome
from nmt.scoring.stored import HypothesisRow, write_rows
from nmt.storage import Storage
from tests.support.ratings.studies import fill_in, score_by, write
from tests.support.runs.gate_record import gate_result

SENTENCES = 120


def result_with(**outcomes: Outcome) -> GateResult:
    """Make a decision whose rules have these outcomes; the others have passed."""
    rules = tuple(
        GateRule(
            name=name.replace("_", " "),
            outcome=outcome,
            text="a figure",
            test_set="news" if name == "loss" else None,
        )
        for name, outcome in outcomes.items()
    )
    verdicts = [rule.outcome for rule in rules]
    failed, is_open = "failed" in verdicts, "open" in verdicts
    return gate_result(
        "reject" if failed else "undecided" if is_open else "accept",
        reason="gain: a figure",
        difference=0.8,
        standard_error=0.4,
        low=-0.3,
        high=1.4,
        rules=rules,
        sets=tuple(
            GateSet(
                name=name,
                digest=name,
                sentences=size,
                forgetting=name == "old",
                difference=0.8,
                standard_error=0.4,
                predicted_detectable=1.0,
                detectable=1.0,
                agreement=80,
            )
            for name, size in (("news", SENTENCES), ("talks", 20), ("old", 900))
        ),
    )


UNDECIDED = result_with(gain="open")


def leave_translations(storage: Storage) -> None:
    """Leave the translations of run demo by both engines."""
    for system in ("stable", "engine"):
        rows = [
            HypothesisRow(
                source=f"sentence {number}",
                references=("r",),
                hypothesis=f"text {number} by {system} here",
                scores={"chrf++": 50.0},
            )
            for number in range(SENTENCES)
        ]
        storage.write_bytes(layout.hypotheses("demo", "news", system), write_rows(rows))


def last_key(storage: Storage) -> Key:
    """Read the key of the last batch."""
    return read_keys(storage, read_design(storage, "demo", study_name(UNDECIDED)))[-1]


def rate_batch(storage: Storage, folder: Path, better: float) -> list[Path]:
    """Let one person rate the next batch, with the engine better by so many points."""
    design = ask_people(storage, "demo", UNDECIDED, raters=1, seed=1)
    batch = write_batch(storage, design, folder, "csv")
    key = last_key(storage)
    fill = score_by({"stable": 50.0, "engine": 50.0 + better}, spread=12.0)
    filled = [
        write(folder, f"filled-{path.name}", fill_in(path.read_bytes(), key, fill))
        for path in batch.files
        if path.suffix == ".csv"
    ]
    import_files(storage, "demo", filled)
    return filled
