"""A reader for folders, which finds the files with pairs and their splits."""

import logging
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nmt.data.formats.arrow import DATA_SET_FILE, STATE_FILE, read_saved, saved_splits
from nmt.data.formats.corpus import SPLIT_NAMES, Corpus
from nmt.data.formats.data_sets.card import declared_files
from nmt.data.formats.readers import FORMATS, reader, suffix
from nmt.data.formats.rows import Row
from nmt.data.formats.tables.columns import matches_language
from nmt.errors import DataError

log = logging.getLogger(__name__)

_WORDS = re.compile(r"[a-z]+")
_NOT_READ = frozenset(
    {".txt", ".xlsx", ".xls", ".ods", ".docx", ".odt", ".html", ".xliff", ".xlf", ".po", ".arrow"}
    | {".zip", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".lz4", ".sqlite", ".db"}
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


def read_folder(corpus: Corpus) -> dict[str, Iterator[Row]]:
    """Find the splits of a folder, in which each file is read by the reader for its format.

    Returns:
        The pairs of each split, which are read lazily. If no file is named after a split, all
        pairs are `train`.

    Raises:
        DataError: no file holds pairs, or the split of a file is not clear.
    """
    saved = saved_splits(corpus.file)
    if saved is not None:
        _refuse_other_files(corpus.file)
        return {name: read_saved(corpus, name, files) for name, files in saved.items()}
    declared = declared_files(corpus.file)
    splits = declared if declared is not None else _splits_by_name(corpus)
    return {name: _read_files(corpus, files) for name, files in splits.items()}


def _refuse_other_files(folder: Path) -> None:
    # Otherwise a file that the user added would be ignored without a warning.
    others = [
        path
        for _, path in visible_files(folder)
        if suffix(path) in FORMATS and not _is_description(path)
    ]
    if others:
        raise DataError(
            f"{folder} holds a data set that save_to_disk wrote and also "
            f"{_name_files(others, folder)}: move one of them to another folder"
        )


def _read_files(corpus: Corpus, files: Sequence[Path]) -> Iterator[Row]:
    for file in files:
        read = reader(FORMATS[suffix(file)])
        yield from read(replace(corpus, path=str(file), target_path=None))


def _splits_by_name(corpus: Corpus) -> dict[str, list[Path]]:
    folder = corpus.file
    files = _data_files(corpus)
    if not files:
        raise DataError(
            f"{folder} holds no files that end in "
            f"{', '.join(name for name in FORMATS if name not in _NOT_READ)}, and no data set that "
            "save_to_disk wrote: name a file, or a folder with such files"
        )
    splits: dict[str, list[Path]] = {}
    unclear: list[Path] = []
    for file in files:
        name = _split_of(file.relative_to(folder))
        splits.setdefault(name, []).append(file) if name else unclear.append(file)
    if not splits:
        return {"train": unclear}
    splits = {name: splits[name] for name in SPLIT_NAMES if name in splits}
    if unclear:
        raise DataError(
            f"{folder} has files for {', '.join(splits)}, but the split of "
            f"{_name_files(unclear, folder)} is not clear: put train, validation or test into "
            "each name, or move files that should not be read"
        )
    return splits


def _split_of(path: Path) -> str | None:
    """Find the split in the name of a file, or else in the name of the nearest folder."""
    for part in (path.name, *reversed(path.parent.parts)):
        words = _WORDS.findall(part.casefold())
        found = [split for split, usual in SPLIT_NAMES.items() if set(usual) & set(words)]
        if len(found) > 1:  # such as `train-and-test.csv`
            return None
        if found:
            return found[0]
    return None


def _data_files(corpus: Corpus) -> list[Path]:
    """List the files that hold pairs, sorted; refuse other files that may hold sentences."""
    folder = corpus.file
    found: list[Path] = []
    unread: list[Path] = []
    other: list[Path] = []
    for _, path in visible_files(folder):
        kind = suffix(path)
        if _is_description(path):
            continue
        if kind in FORMATS and kind not in _NOT_READ:
            found.append(path)
        elif kind in _NOT_READ or _is_language(kind, corpus):
            unread.append(path)
        else:
            other.append(path)
    if unread and found:
        raise DataError(
            f"{folder} holds {_name_files(found, folder)}, which can be read from a folder, and "
            f"{_name_files(unread, folder)}, which cannot: name one file with data.path (and "
            "data.target_path), or move files that should not be read"
        )
    if unread:
        raise DataError(
            f"{folder} cannot be read as a data set: {_name_files(unread, folder)} cannot be read "
            "from a folder. Name one file with data.path, and for two text files also "
            "data.target_path; for a data set of save_to_disk, name the folder that it wrote"
        )
    if other and found:
        log.warning("%s: ignored files of unknown format: %s", folder, _name_files(other, folder))
    return found


def _is_description(path: Path) -> bool:
    """Tell whether a file describes the data, such as a licence."""
    # A table with such a name, like `notice.csv`, is data.
    about = _ABOUT.fullmatch(path.name) and suffix(path) not in FORMATS.keys() - _NOT_READ
    return path.name in _DESCRIPTIONS or bool(about)


def visible_files(folder: Path) -> list[tuple[str, Path]]:
    """List the relative names and paths of all files below a folder that are not hidden."""
    found: list[Path] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        if os.path.realpath(place) in seen:  # a link to a folder above
            folders.clear()
            continue
        seen.add(os.path.realpath(place))
        # `__MACOSX` holds copies that macOS adds to archives.
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        found += (Path(place) / name for name in names if not name.startswith("."))
    return sorted((file.relative_to(folder).as_posix(), file) for file in found)


def _is_language(kind: str, corpus: Corpus) -> bool:
    """Tell whether a suffix is one of the languages, as in `train.en` and `train.ta`."""
    tag = kind.removeprefix(".")
    languages = (corpus.source_language, corpus.target_language)
    return any(matches_language(tag, language) for language in languages)


def _name_files(files: Sequence[Path], folder: Path) -> str:
    names = [file.relative_to(folder).as_posix() for file in files[:3]]
    return ", ".join(names) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
