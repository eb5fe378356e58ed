"""A reader for folders and zip archives, which finds the files with pairs and their splits."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from nmt.data.formats.arrow import DATA_SET_FILE, STATE_FILE, read_saved, saved_splits
from nmt.data.formats.corpus import SPLIT_NAMES, Corpus
from nmt.data.formats.data_sets.card import declared_files
from nmt.data.formats.data_sets.file_pairs import FilePair, find_file_pairs
from nmt.data.formats.data_sets.listing import Entry, entries_of, name_files
from nmt.data.formats.files.input_file import InputFile
from nmt.data.formats.readers import FORMATS, reader, suffix
from nmt.data.formats.rows import Row
from nmt.errors import DataError

log = logging.getLogger(__name__)

_WORDS = re.compile(r"[a-z]+")
_NOT_READ = frozenset(
    {".txt", ".xlsx", ".xls", ".ods", ".docx", ".odt", ".html", ".arrow", ".7z", ".rar", ".tar"}
    | {".tgz", ".lz4", ".sqlite", ".db"}
)
"""Suffixes of files that often hold sentences, but are not read from a folder."""
_ABOUT = re.compile(
    r"(readme|licen[cs]e|copying|copyright|notice|authors|change(log|s)|citation|manifest"
    r"|requirements)\b.*|info",
    re.IGNORECASE,
)
_DESCRIPTIONS = frozenset(
    {"config.json", "dataset_info.json", "dataset_infos.json", DATA_SET_FILE, STATE_FILE}
)


class _Part(NamedTuple):
    """A file with pairs, or two text files."""

    name: PurePosixPath
    """Name that shows the split."""
    entries: Sequence[Entry]
    rows: Iterator[Row]


def read_folder(corpus: Corpus) -> dict[str, Iterator[Row]]:
    """Find the splits of a folder, in which each file is read by the reader for its format.

    Returns:
        The pairs of each split, which are read lazily. If no file is named after a split, all
        pairs are `train`.

    Raises:
        DataError: no file holds pairs, or the split of a file is not clear.
    """
    folder = Path(corpus.path)
    saved = saved_splits(folder)
    if saved is not None:
        _refuse_other_files(folder)
        return {name: read_saved(corpus, name, files) for name, files in saved.items()}
    declared = declared_files(folder)
    if declared is None:
        return _splits_by_name(corpus)
    return {
        name: _chain([_open_file(_for_split(corpus, name), InputFile(file)) for file in files])
        for name, files in declared.items()
    }


def read_archive(corpus: Corpus, setting: str) -> dict[str, Iterator[Row]]:
    """Find the splits of a zip archive, which is read like a folder.

    Args:
        corpus: the input.
        setting: a format other than `auto` is that of the only file in the archive.

    Raises:
        DataError: no file holds pairs, or the split of a file is not clear.
    """
    if setting == "auto":
        return _splits_by_name(corpus)
    entries = [entry for entry in entries_of(corpus.file.path) if not _is_description(entry)]
    if len(entries) != 1:
        raise DataError(
            f"{corpus.path} holds {name_files(entries) or 'no files'}: a format can be set for an "
            "archive with one file; unpack it, then name its files"
        )
    return {"train": _open_file(corpus, entries[0].file, setting)}


def _refuse_other_files(folder: Path) -> None:
    # Otherwise a file that the user added would be ignored without a warning.
    others = [
        entry
        for entry in entries_of(folder)
        if suffix(entry.file.name) in FORMATS and not _is_description(entry)
    ]
    if others:
        raise DataError(
            f"{folder} holds a data set that save_to_disk wrote and also "
            f"{name_files(others)}: move one of them to another folder"
        )


def _splits_by_name(corpus: Corpus) -> dict[str, Iterator[Row]]:
    parts = _find_parts(corpus)
    splits: dict[str, list[Iterator[Row]]] = {}
    unclear: list[Entry] = []
    for part in parts:
        name = _split_of(part.name)
        if name:
            splits.setdefault(name, []).append(part.rows)
        else:
            unclear += part.entries
    if not splits:
        return {"train": _chain([part.rows for part in parts])}
    if unclear:
        raise DataError(
            f"{corpus.path} has files for {', '.join(n for n in SPLIT_NAMES if n in splits)}, but "
            f"the split of {name_files(unclear)} is not clear: put train, validation or test into "
            "each name, or move files that should not be read"
        )
    return {name: _chain(splits[name]) for name in SPLIT_NAMES if name in splits}


def _split_of(path: PurePosixPath) -> str | None:
    """Find the split in the name of a file, or else in the name of the nearest folder."""
    for part in (path.name, *reversed(path.parent.parts)):
        words = _WORDS.findall(part.casefold())
        found = [split for split, usual in SPLIT_NAMES.items() if set(usual) & set(words)]
        if len(found) > 1:  # such as `train-and-test.csv`
            return None
        if found:
            return found[0]
    return None


def _find_parts(corpus: Corpus) -> list[_Part]:
    """List the files that hold pairs, sorted; refuse other files that may hold sentences."""
    entries = [entry for entry in entries_of(corpus.file.path) if not _is_description(entry)]
    tables = [entry for entry in entries if _is_table(entry)]
    pairs, alone = find_file_pairs([e for e in entries if not _is_table(e)], corpus)
    found = [
        _Part(e.name, [e], _open_file(_for_split(corpus, _split_of(e.name)), e.file))
        for e in tables
    ]
    for pair in pairs:
        name = pair.source.name
        rows = open_file_pair(_for_split(corpus, _split_of(name)), pair)
        found.append(_Part(name, pair, rows))
    # A file in one of the languages that stays alone may be half of a pair that was not copied.
    paired = {entry for pair in pairs for entry in pair}
    rest = [entry for entry in entries if not _is_table(entry) and entry not in paired]
    unread = [e for e in rest if e in alone or suffix(e.file.name) in _NOT_READ]
    if unread:
        _refuse_unread(corpus, [entry for part in found for entry in part.entries], unread, alone)
    if not found:
        readable = ", ".join(name for name in FORMATS if name not in _NOT_READ)
        raise DataError(
            f"{corpus.path} holds no files that end in {readable}, no two text files such as "
            "train.en and train.ta, and no data set that save_to_disk wrote: name a file, or a "
            "folder with such files"
        )
    if rest:
        log.warning("%s: ignored files of unknown format: %s", corpus.path, name_files(rest))
    return sorted(found, key=lambda part: part.name)


def _refuse_unread(
    corpus: Corpus, found: Sequence[Entry], unread: Sequence[Entry], alone: Sequence[Entry]
) -> None:
    reason = f"{name_files(unread)} cannot be read from a folder"
    if unread[0] in alone:
        reason = f"{name_files(alone)} has no file of its translations beside it"
    if found:
        raise DataError(
            f"{corpus.path} holds {name_files(found)}, which can be read, but {reason}: name one "
            f"file with {corpus.setting} (and {corpus.target_setting}), or move files that should "
            "not be read"
        )
    raise DataError(
        f"{corpus.path} cannot be read as a data set: {reason}. Name one file with "
        f"{corpus.setting}, and for two text files also {corpus.target_setting}; for a data set of "
        "save_to_disk, name the folder that it wrote"
    )


def _is_table(entry: Entry) -> bool:
    return suffix(entry.file.name) in FORMATS.keys() - _NOT_READ


def _is_description(entry: Entry) -> bool:
    """Tell whether a file describes the data, such as a licence."""
    # A table with such a name, like `notice.csv`, is data.
    about = _ABOUT.fullmatch(entry.file.name) and not _is_table(entry)
    return entry.file.name in _DESCRIPTIONS or bool(about)


def _for_split(corpus: Corpus, split: str | None) -> Corpus:
    # The test split of a data set is scored as it is.
    return replace(corpus, exact=corpus.exact or split in SPLIT_NAMES["test"])


def _open_file(corpus: Corpus, file: InputFile, name: str | None = None) -> Iterator[Row]:
    read = reader(name or FORMATS[suffix(file.name)])
    return read(replace(corpus, path=str(file), entry=file, target_path=None))


def open_file_pair(corpus: Corpus, pair: FilePair) -> Iterator[Row]:
    """Read two text files of a folder line by line."""
    source, target = pair.source.file, pair.target.file
    return reader("text")(
        replace(
            corpus, path=str(source), entry=source, target_path=str(target), target_entry=target
        )
    )


def _chain(parts: Sequence[Iterator[Row]]) -> Iterator[Row]:
    for rows in parts:
        yield from rows
