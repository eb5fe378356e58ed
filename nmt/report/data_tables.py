"""Tables of what cleaning did to each input, and of the pairs that it flagged."""

from collections.abc import Mapping
from dataclasses import dataclass

from nmt.runs.results import DataSummary


@dataclass(frozen=True, slots=True)
class CountTable:
    """Counts of pairs in rows and columns."""

    caption: str
    heading: str
    """What the rows are."""
    columns: list[str]
    rows: dict[str, list[str]]


def data_tables(data: DataSummary) -> list[CountTable]:
    """List the tables that have at least one row."""
    # The records of earlier releases have only sums over all inputs.
    dropped = {name: counts.dropped for name, counts in data.inputs.items()}
    dropped = dropped if any(dropped.values()) else {"pairs": data.dropped}
    totals = {name: counts.read for name, counts in data.inputs.items()}
    tables = [
        _table("Pairs that cleaning left out", "rule", dropped, totals),
        _table("Pairs in each split with a flag", "flag", data.flagged, data.sizes),
    ]
    return [table for table in tables if table.rows]


def _table(
    caption: str,
    heading: str,
    counts: Mapping[str, Mapping[str, int]],
    totals: Mapping[str, int],
) -> CountTable:
    """Make a table with a column for each key of `counts` that has counts."""
    columns = [name for name, column in counts.items() if column]
    sums: dict[str, int] = {}
    for name in columns:
        for row, count in counts[name].items():
            sums[row] = sums.get(row, 0) + count
    rows = {
        row: [_cell(counts[name].get(row, 0), totals.get(name)) for name in columns]
        for row in sorted(sums, key=lambda row: -sums[row])
    }
    return CountTable(caption, heading, columns, rows)


def _cell(count: int, total: int | None) -> str:
    return f"{count:,} ({count / total:.2%})" if count and total else f"{count:,}"
