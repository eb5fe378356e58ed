"""The rows of a batch, and the key that says which systems are behind their labels.

Repeats and degraded translations look like all other rows. Neither ids nor texts of a sheet tell
the system or the kind of a row; the key alone does.
"""

import hashlib
import hmac
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import NonNegativeInt, PositiveInt

from nmt.errors import InputError
from nmt.ratings.degrade import degrade
from nmt.ratings.design import Design
from nmt.ratings.protocols import LABELS
from nmt.runs.step_result import ResultPart
from nmt.storage import RecordKind

Kind = Literal["rating", "repeat", "degraded"]

# Letters alone: with a digit, a spreadsheet could read an id as a number or a date. No vowels.
_ID_LETTERS = "bcdfghjkmnpqrstw"
_ID_LENGTH = 10
_CONTROL_SHARE = 0.07
_MIN_ROWS_WITH_CONTROLS = 5


class KeyRow(ResultPart):
    """A row of a sheet, with what its rater must not know."""

    id: str
    rater: str
    segment: NonNegativeInt
    """Place in the segments of the design."""
    source: str
    systems: tuple[str, ...]
    """The system behind each label, from A on."""
    translations: tuple[str, ...]
    """What is shown below each label."""
    kind: Kind = "rating"
    original: str | None = None
    """Id of the row that a repeat or a degraded row belongs to."""
    degraded: str | None = None
    """The system whose translation is degraded."""


class Key(ResultPart):
    """The rows of a batch, in the order of its sheets."""

    study: str
    batch: PositiveInt
    rows: tuple[KeyRow, ...]

    def sheet(self, rater: str) -> list[KeyRow]:
        """Return the rows of a rater."""
        return [row for row in self.rows if row.rater == rater]


KEY = RecordKind(Key, "the key of a batch")


@dataclass(frozen=True, slots=True)
class _Draft:
    """A row without an id."""

    segment: int
    kind: Kind
    order: tuple[int, ...]
    """The systems, by the order of their labels."""
    degraded: int | None = None
    text: str = ""
    """The degraded translation."""


def make_key(design: Design, batch: int) -> Key:
    """Make the rows of a batch; the same design gives the same rows.

    Raises:
        InputError: all differing segments are in earlier batches.
    """
    segments = design.batch_segments(batch)
    if not segments:
        raise InputError(
            f"study '{design.study}': its {design.batches} batches have all "
            f"{len(design.segments)} sentences that differ, so there is no batch {batch}"
        )
    rows: list[KeyRow] = []
    for place, rater in enumerate(design.raters):
        draw = random.Random(f"{design.seed}/{design.nonce}/{batch}/{rater}")
        chosen = _dealt(segments, place, design)
        drafts = list(_originals(chosen, place, design, draw))
        if not design.how.one_system:
            drafts = _with_controls(drafts, design, draw)
        rows += _finish(drafts, rater, batch, design)
    return Key(study=design.study, batch=batch, rows=tuple(rows))


def _dealt(segments: range, rater: int, design: Design) -> list[int]:
    """Return the segments of a rater: those that all get, and a part of the others."""
    shared, others = segments[: design.shared], segments[design.shared :]
    return [*shared, *others[rater :: len(design.raters)]]


def _originals(
    segments: Sequence[int], rater: int, design: Design, draw: random.Random
) -> Iterator[_Draft]:
    count = len(design.systems)
    places = {segment: place for place, segment in enumerate(segments)}
    for segment in draw.sample(segments, len(segments)):
        if design.how.one_system:
            # In turn; raters who share a segment have it at the same place, and edit different
            # systems.
            yield _Draft(segment, "rating", ((places[segment] + rater) % count,))
        else:
            yield _Draft(segment, "rating", tuple(draw.sample(range(count), count)))


def _with_controls(drafts: list[_Draft], design: Design, draw: random.Random) -> list[_Draft]:
    """Add repeats and degraded rows, each in the half of the sheet that its original is not in."""
    if len(drafts) < _MIN_ROWS_WITH_CONTROLS:
        return drafts
    half = len(drafts) // 2
    count = min(max(1, round(_CONTROL_SHARE * len(drafts))), half // 2)
    chosen = draw.sample(drafts[:half], 2 * count)
    added = [_repeated(draft, draw) for draft in chosen[:count]]
    spare = [draft for draft in drafts[:half] if draft not in chosen]
    # Sentences whose text does not change are passed over, and may leave fewer controls.
    found = (_degraded(draft, design, draw) for draft in [*chosen[count:], *spare])
    added += itertools.islice((draft for draft in found if draft), count)
    rows = list(drafts)
    for draft in added:
        rows.insert(draw.randint(half, len(rows)), draft)
    return rows


def _repeated(draft: _Draft, draw: random.Random) -> _Draft:
    order = draft.order
    while order == draft.order:
        order = tuple(draw.sample(draft.order, len(draft.order)))
    return _Draft(draft.segment, "repeat", order)


def _degraded(draft: _Draft, design: Design, draw: random.Random) -> _Draft | None:
    """Make a row with one translation degraded; None where no translation changes."""
    order = tuple(draw.sample(draft.order, len(draft.order)))
    for system in draw.sample(range(len(design.systems)), len(design.systems)):
        texts = [each.translations[system] for each in design.segments]
        own = texts.pop(draft.segment)
        text = degrade(own, texts, draw)
        if text is not None:
            return _Draft(draft.segment, "degraded", order, system, text)
    return None


def _finish(drafts: Sequence[_Draft], rater: str, batch: int, design: Design) -> Iterator[KeyRow]:
    originals = {
        draft.segment: _row_id(design, batch, rater, number)
        for number, draft in enumerate(drafts)
        if draft.kind == "rating"
    }
    for number, draft in enumerate(drafts):
        segment = design.segments[draft.segment]
        yield KeyRow(
            id=_row_id(design, batch, rater, number),
            rater=rater,
            segment=draft.segment,
            source=segment.source,
            systems=tuple(design.systems[system] for system in draft.order),
            translations=tuple(
                draft.text if system == draft.degraded else segment.translations[system]
                for system in draft.order
            ),
            kind=draft.kind,
            original=None if draft.kind == "rating" else originals[draft.segment],
            degraded=None if draft.degraded is None else design.systems[draft.degraded],
        )


def _row_id(design: Design, batch: int, rater: str, number: int) -> str:
    message = f"{design.study}/{batch}/{rater}/{number}".encode()
    digest = hmac.new(bytes.fromhex(design.nonce), message, hashlib.sha256).hexdigest()
    return "".join(_ID_LETTERS[int(digit, 16)] for digit in digest[:_ID_LENGTH])


def labels_of(row: KeyRow) -> str:
    """Return the labels of a row, one character for each translation."""
    return LABELS[: len(row.systems)]
