"""Translations that a run keeps: one file per system and test set, and a record beside it.

Imports no torch: a finished evaluation is checked before a cluster is started.
"""

import logging
from collections.abc import Sequence

from pydantic import Field, NonNegativeFloat

from nmt.config import digest_of
from nmt.data.test_sets import TestSet
from nmt.errors import StorageError
from nmt.runs import layout
from nmt.runs.evaluation import SystemInfo
from nmt.runs.step_result import ResultPart
from nmt.scoring.outputs import SystemOutput
from nmt.scoring.stored import HypothesisRow, output_of, read_rows, write_rows
from nmt.storage import RecordKind, Storage

log = logging.getLogger(__name__)

_AGAIN = "these sentences are translated again"


class TranslationRecord(ResultPart):
    """The origin of the translations of a test set by one system."""

    key: str
    """Digest of the system, the test set and the search."""
    texts: str
    """Digest of the translations and their confidences."""
    system: SystemInfo
    seconds: NonNegativeFloat | None = Field(default=None)
    """Time that the system took; null for translations that were given."""


_TRANSLATION = RecordKind(TranslationRecord, "the record of translations")


def key_of(content: str, test_set_digest: str, languages: tuple[str, str]) -> str:
    """Compute the digest of a system's work on a test set.

    Args:
        content: digest of all that decides the system's translations.
        test_set_digest: of the test set.
        languages: source and target.
    """
    return digest_of([content, test_set_digest, *languages])


def keep(
    storage: Storage, run: str, test_set: TestSet, system: str, output: SystemOutput,
    translation: TranslationRecord,
) -> None:  # fmt: skip
    """Write the translations of a test set, and then their record."""
    path = layout.hypotheses(run, test_set.name, system)
    storage.write_bytes(path, write_rows(_rows(test_set, output)))
    _TRANSLATION.write(storage, layout.translation_record(run, test_set.name, system), translation)


def find_kept(
    storage: Storage, run: str, test_set: str, system: str, key: str | None = None
) -> tuple[TranslationRecord, SystemOutput] | None:
    """Find intact translations, and log it if they are damaged.

    Args:
        storage: the storage root.
        run: name of the run.
        test_set: name of the test set.
        system: name of the system.
        key: what they must have been made from; None: anything.
    """
    path = layout.translation_record(run, test_set, system)
    found = _TRANSLATION.find_or_leave_out(storage, path, _AGAIN, log.warning)
    if found is None or key not in (None, found.key):
        return None
    rows = find_rows(storage, run, test_set, system)
    if rows is None:
        return None
    output = output_of(rows)
    if digest_of_output(output) != found.texts:
        place = storage.locate(layout.hypotheses(run, test_set, system))
        log.warning("%s: was changed after it was written: %s", place, _AGAIN)
        return None
    return found, output


def find_of_sources(
    storage: Storage, run: str, test_set: TestSet, system: str
) -> tuple[TranslationRecord, SystemOutput] | None:
    """Find intact translations of the sentences of a test set, whatever made them."""
    found = find_kept(storage, run, test_set.name, system)
    rows = find_rows(storage, run, test_set.name, system) or []
    same = [row.source for row in rows] == list(test_set.sources)
    return found if same else None


def find_rows(storage: Storage, run: str, test_set: str, system: str) -> list[HypothesisRow] | None:
    """Read the file of a system's translations; log it if the file is damaged."""
    path = layout.hypotheses(run, test_set, system)
    if not storage.exists(path):
        return None
    try:
        return list(read_rows(storage.read_bytes(path), storage.locate(path)))
    except StorageError as error:
        log.warning("%s: %s", error, _AGAIN)
        return None


def digest_of_output(output: SystemOutput) -> str:
    """Compute the digest of translations and their confidences."""
    confidences: Sequence[float | None] = output.confidences or [None] * len(output.hypotheses)
    # Scores and flags are left out: they are computed again, from the translations.
    return digest_of([list(output.hypotheses), list(confidences)])


def _rows(test_set: TestSet, output: SystemOutput) -> list[HypothesisRow]:
    confidences = output.confidences or [None] * len(output.hypotheses)
    references = zip(*test_set.references, strict=True)
    each = zip(test_set.sources, references, output.hypotheses, confidences, strict=True)
    return [
        HypothesisRow(source=source, references=texts, hypothesis=hypothesis, confidence=confidence)
        for source, texts, hypothesis, confidence in each
    ]
