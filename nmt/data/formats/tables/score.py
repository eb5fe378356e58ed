"""The score of a pair, such as that of a sentence aligner."""

import math


def parse_score(value: object) -> float | str | None:
    """Read a score from a cell or a JSON value.

    Returns:
        None if there is no score, and a text that names the problem if it is not a number.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        # A NaN is neither above nor below a threshold.
        score = float(value) if isinstance(value, str | int | float) else math.nan
    except ValueError:
        score = math.nan
    return f"the score {value!r:.40} is not a number" if math.isnan(score) else score
