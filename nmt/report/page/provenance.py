"""Where the figures of a report come from."""

from collections.abc import Iterable
from itertools import compress

from nmt.report import formatting
from nmt.report.page.tables import Cell, Table
from nmt.report.scores import Results
from nmt.runs.evaluation import Decoding, EvaluationResult, SystemInfo

_KINDS = {
    "base": "the model before the training",
    "tuned": "what the run trained",
    "engine": "an exported engine",
    "file": "a file of translations",
    "memory": "the target of the most similar training pair",
    "few-shot": "the base with random training pairs as examples",
    "retrieved": "the base with the most similar training pairs as examples",
}


def system_table(results: Results) -> Table:
    """Make a table of what is known of each system."""
    columns = (
        Cell("What it is", style="wrap"), Cell("Decoding", style="wrap"),
        Cell("Device", style="wrap"), Cell("Parameters"), Cell("Size"),
        Cell("Digest", style="code"),
    )  # fmt: skip
    rows = [(name, _system_cells(info)) for name, info in _systems(results)]
    # Of files of translations nothing is known but that they are files.
    known = [any(cells[place].text not in ("", "unknown") for _, cells in rows)
             for place in range(len(columns))]  # fmt: skip
    return Table(
        "Systems",
        "System",
        tuple(compress(columns, known)),
        tuple((name, tuple(compress(cells, known))) for name, cells in rows),
    )


def _systems(results: Results) -> Iterable[tuple[str, SystemInfo]]:
    return ((name, results.evaluation.systems[name]) for name in results.systems)


def _system_cells(info: SystemInfo) -> tuple[Cell, ...]:
    run = (f"of run {info.run}",) if info.run else ()
    return (
        Cell(_KINDS[info.kind], run, "wrap"),
        Cell(_describe_decoding(info.decoding), style="wrap"),
        Cell(info.device or "unknown", style="wrap"),
        Cell("unknown" if info.parameters is None else f"{info.parameters:,}"),
        Cell("unknown" if info.size_bytes is None else f"{info.size_bytes / 1e6:,.1f} MB"),
        Cell(info.engine or "", style="code"),
    )


def _describe_decoding(decoding: Decoding | None) -> str:
    if decoding is None:
        return "unknown"
    if decoding.method == "mbr":
        text = f"MBR of {decoding.mbr_samples} samples"
    elif decoding.method == "beam":
        text = f"beam {decoding.beam_size}, length penalty {decoding.length_penalty:g}"
    else:
        text = "greedy"
    parts = [text]
    parts += [decoding.precision] if decoding.precision else []
    parts += ["text split into sentences"] if decoding.splits_sentences else []
    return ", ".join(parts)


def signature_table(results: Results) -> Table:
    """Make a table of the signature of each metric on each test set."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in results.evaluation.scores:
        sets = found.setdefault((row.metric, row.signature), [])
        if row.test_set not in sets:
            sets.append(row.test_set)
    order = {metric: place for place, metric in enumerate(results.metrics())}
    rows = tuple(
        (formatting.metric_name(metric), (Cell(signature, style="code"), Cell(", ".join(sets))))
        for (metric, signature), sets in sorted(found.items(), key=lambda row: order[row[0][0]])
    )
    return Table("Signatures", "Metric", (Cell("Signature", style="code"), Cell("Test sets")), rows)


def missing_table(evaluation: EvaluationResult) -> Table | None:
    """Make a table of what was not computed, each reason once."""
    cells = tuple(
        (", ".join(names), (Cell(reason, style="wrap"),))
        for reason, names in formatting.missing_by_reason(evaluation).items()
    )
    columns = (Cell("Reason", style="wrap"),)
    return Table("Not computed", "Metric", columns, cells) if cells else None
