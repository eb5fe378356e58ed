"""A streaming reader for translation files (XLIFF 1.2 and 2).

Sources: XLIFF 1.2 and 2.1 of OASIS, the elements `trans-unit` and `segment`.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.rows import RawPair
from nmt.data.formats.tables.columns import matches_language
from nmt.data.formats.xml.inline_codes import plain_text
from nmt.data.formats.xml.units import Unit, local_name, read_units
from nmt.errors import DataError

log = logging.getLogger(__name__)

_UNITS = frozenset({"trans-unit", "segment"})
_UNTRANSLATED = frozenset({"new", "needs-translation", "initial"})
"""States of a target that is still a copy of the source."""


class _Languages(NamedTuple):
    """The languages that a file names; empty where it names none."""

    source: str
    target: str


def read_xliff(corpus: Corpus) -> Iterator[RawPair]:
    """Read the translated segments of one direction or the other; skip those without a target.

    Raises:
        DataError: the file is not well-formed XML, or has no translation between the languages.
    """
    counts: Counter[_Languages] = Counter()
    found = skipped = 0
    for number, unit in enumerate(read_units(corpus, _UNITS), start=1):
        languages = _languages(unit)
        counts[languages] += 1
        direction = _direction(languages, corpus)
        pairs = _pairs(unit) if direction else []
        skipped += not pairs
        for source, target in pairs:
            found += 1
            sides = (source, target) if direction == "forward" else (target, source)
            yield RawPair(*sides, number)
    if not found:
        problem = _explain_no_pairs(corpus, counts)
        # A folder of translation files has one for each language of the program.
        if not corpus.is_part:
            raise DataError(problem)
        log.warning("%s", problem)
    elif skipped:
        log.warning("%s: skipped units without a translation: %d", corpus.path, skipped)


def _languages(unit: Unit) -> _Languages:
    source = target = ""
    for parent in unit.parents:
        # Version 1.2 has them at `file`, version 2 at `xliff`.
        source = parent.get("source-language") or parent.get("srcLang") or source
        target = parent.get("target-language") or parent.get("trgLang") or target
    return _Languages(source, target)


def _direction(languages: _Languages, corpus: Corpus) -> str | None:
    """Tell whether a file translates in the direction of the corpus or in the other one."""
    wanted = (corpus.source_language, corpus.target_language)
    for direction, pair in (("forward", wanted), ("backward", wanted[::-1])):
        # The target's language is missing in files of some tools.
        if matches_language(languages.source, pair[0]) and (
            not languages.target or matches_language(languages.target, pair[1])
        ):
            return direction
    return None


def _pairs(unit: Unit) -> list[tuple[str, str]]:
    """Return the texts and translations of a unit; none if it is not translated."""
    children = {local_name(child): child for child in unit.element}
    source, target = children.get("source"), children.get("target")
    state = unit.element.get("state") or (target.get("state") if target is not None else None)
    if source is None or target is None or state in _UNTRANSLATED or _is_locked(unit):
        return []
    segments = _segments(children.get("seg-source", source)), _segments(target)
    if segments[0] and segments[0].keys() == segments[1].keys():
        texts = [
            (plain_text(segments[0][mid]), plain_text(segments[1][mid])) for mid in segments[0]
        ]
    else:
        # A tool may mark the sentences of one side only.
        texts = [(plain_text(source), plain_text(target))]
    return [(original, translation) for original, translation in texts if translation.strip()]


def _segments(element: Element) -> dict[str, Element]:
    """Return the sentences that a tool marked in a unit, by their numbers."""
    marks = (mark for mark in element.iter() if local_name(mark) == "mrk")
    return {mark.get("mid", ""): mark for mark in marks if mark.get("mtype") == "seg"}


def _is_locked(unit: Unit) -> bool:
    """Tell whether a unit must not be translated, as its nearest mark says."""
    marks = (element.get("translate") for element in (unit.element, *reversed(unit.parents)))
    return next((mark for mark in marks if mark), "yes") == "no"


def _explain_no_pairs(corpus: Corpus, counts: Counter[_Languages]) -> str:
    wanted = f"{corpus.source_language} and {corpus.target_language}"
    if any(_direction(languages, corpus) for languages in counts):
        return f"{corpus.path}: no unit has a translation yet"
    found = _listed(counts.most_common())
    return f"{corpus.path}: no file translates between {wanted}. Languages in it: {found}"


def _listed(counts: Sequence[tuple[_Languages, int]]) -> str:
    return (
        ", ".join(
            f"{languages.source or 'none'} to {languages.target or 'none'} ({count} units)"
            for languages, count in counts
        )
        or "none"
    )
