"""The pairs of every input, in memory."""

from nmt.config import DataConfig
from nmt.data.read import open_inputs
from nmt.text.normalise import normalise
from nmt.text.pair import Pair


def read_pairs(data: DataConfig) -> dict[str, list[Pair]]:
    """Read the normalised pairs of every input, by the name of the input."""
    return {
        opened.name: [Pair(normalise(row.source), normalise(row.target)) for row in opened.rows]
        for opened in open_inputs(data)
    }
