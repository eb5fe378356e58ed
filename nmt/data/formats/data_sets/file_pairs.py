"""Pairs of text files, found by the languages in their names: `train.en` and `train.ta`."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.data_sets.listing import Entry, name_files
from nmt.data.formats.readers import without_packing
from nmt.data.formats.tables.columns import matches_language
from nmt.errors import DataError

_PARTS = re.compile(r"[^./]+")
_LANGUAGE = re.compile(r"(?P<before>.*[-_])?(?P<tag>[A-Za-z]{2,3}([-_][A-Za-z]{4})?)")

# Names that OpenNMT and Fairseq give to the files of the two sides.
_SIDES = {"src": "source", "source": "source"} | dict.fromkeys(("tgt", "trg", "target"), "target")


class FilePair(NamedTuple):
    """Two text files that are translated line by line."""

    source: Entry
    target: Entry


class _Side(NamedTuple):
    """The language of a file, and its name without it, which both files of a pair share."""

    shared: str
    side: str


def find_file_pairs(entries: Sequence[Entry], corpus: Corpus) -> tuple[list[FilePair], list[Entry]]:
    """Find the text files that belong together.

    Returns:
        The pairs, and the files in one of the two languages that belong to no pair.

    Raises:
        DataError: three or more files fit together.
    """
    groups: dict[str, dict[str, list[Entry]]] = {}
    for entry in entries:
        found = _side(entry.name, corpus)
        if found:
            sides = groups.setdefault(found.shared, {"source": [], "target": []})
            sides[found.side].append(entry)
    pairs: list[FilePair] = []
    alone: list[Entry] = []
    for sides in groups.values():
        files = sides["source"] + sides["target"]
        if not sides["source"] or not sides["target"]:
            alone += files
        # A file that is there packed and unpacked may be in two versions.
        elif len(files) > 2:
            raise DataError(
                f"{corpus.path}: {name_files(files)} could belong together: name two of them with "
                f"{corpus.setting} and {corpus.target_setting}, or move the others"
            )
        else:
            pairs.append(FilePair(*files))
    return pairs, alone


def _side(name: PurePosixPath, corpus: Corpus) -> _Side | None:
    """Find the language in a name, the last one if there are several."""
    text = without_packing(str(name))
    # The last part says the most: `corpus.en-ta.en` is the English file.
    for part in reversed(list(_PARTS.finditer(text))):
        # `en-ta` names both languages, and not the one of the file.
        if _names_both(part[0], corpus):
            continue
        whole_and_end = (part.span(), _end_span(part))
        for start, end in whole_and_end:
            side = _side_of(text[start:end], corpus)
            if side:
                return _Side(f"{text[:start]}{{}}{text[end:]}", side)
    return None


def _end_span(part: re.Match[str]) -> tuple[int, int]:
    """Find where a language may stand after a hyphen, as in `train_en` and `train-eng_Latn`."""
    found = _LANGUAGE.fullmatch(part[0])
    return (part.start() + found.start("tag"), part.end()) if found else part.span()


def _names_both(part: str, corpus: Corpus) -> bool:
    first, _, second = part.replace("_", "-").partition("-")
    return {_side_of(first, corpus), _side_of(second, corpus)} == {"source", "target"}


def _side_of(tag: str, corpus: Corpus) -> str | None:
    if tag.casefold() in _SIDES:
        return _SIDES[tag.casefold()]
    is_source = matches_language(tag, corpus.source_language)
    is_target = matches_language(tag, corpus.target_language)
    # `zh` may be either side of a corpus in two Chinese scripts.
    return None if is_source == is_target else "source" if is_source else "target"
