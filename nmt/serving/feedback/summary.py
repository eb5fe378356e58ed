"""What the feedback of an endpoint says in all."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from nmt.cli.table import table
from nmt.serving.feedback.rows import Feedback


@dataclass(slots=True)
class EngineFeedback:
    """The feedback on the translations of one engine for one language pair."""

    good: int = 0
    bad: int = 0
    corrections: int = 0
    keys: Counter[str] = field(default_factory=Counter[str])
    """Number of texts of each API key."""


Summary = dict[tuple[str, str, str], EngineFeedback]
"""Source language, target language and engine -> feedback."""


def summarise(rows: Iterable[Feedback]) -> Summary:
    """Count the ratings and corrections of each language pair and engine."""
    summary: Summary = {}
    seen: set[str] = set()
    for row in rows:
        place = row.source_language, row.target_language, row.engine
        counts = summary.setdefault(place, EngineFeedback())
        # A text of several lines is one correction and has one rating, which each row repeats.
        if row.id in seen:
            continue
        seen.add(row.id)
        counts.keys[row.key] += 1
        counts.corrections += row.kind == "corrections"
        counts.good += row.rating == "good"
        counts.bad += row.rating == "bad"
    return summary


def summary_table(summary: Summary) -> str:
    """Show counts as a table."""
    rows = [
        (
            f"{source}-{target}",
            engine,
            str(counts.good),
            str(counts.bad),
            str(counts.corrections),
            ", ".join(f"{key or 'none'} ({count})" for key, count in counts.keys.most_common(3)),
        )
        for (source, target, engine), counts in sorted(summary.items())
    ]
    return table(("LANGUAGES", "ENGINE", "GOOD", "BAD", "CORRECTIONS", "KEYS"), rows)
