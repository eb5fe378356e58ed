"""Folders: which of their files hold pairs, and for which split."""

import logging
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nmt.data.formats.arrow import DATA_SET_FILE, STATE_FILE, read_saved, saved_splits
from nmt.data.formats.columns import speaks
from nmt.data.formats.corpus import SPLIT_NAMES, Corpus, RawPair
from nmt.data.formats.data_sets.card import declared_files
from nmt.data.formats.readers import FORMATS, reader, suffix
from nmt.errors import DataError

log = logging.getLogger(__name__)

_WORDS = re.compile(r"[a-z]+")
_NOT_READ = frozenset(
    {".txt", ".xlsx", ".xls", ".ods", ".docx", ".odt", ".html", ".xliff", ".xlf", ".po", ".arrow"}
    | {".zip", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".lz4", ".sqlite", ".db"}
)
"""Kinds that often hold sentences, and are not read from a folder."""
_ABOUT = re.compile(
    r"(readme|licen[cs]e|copying|copyright|notice|authors|change(log|s)|citation|manifest"
    r"|requirements)\b.*|info",
    re.IGNORECASE,
)
_DESCRIPTIONS = frozenset(
    {"config.json", "dataset_info.json", "dataset_infos.json", DATA_SET_FILE, STATE_FILE}
)


def read_folder(corpus: Corpus) -> dict[str, Iterator[RawPair]]:
    """Find the splits of a folder; each file is read as if it were named by itself.

    Returns:
        Split -> its pairs, which are read when they are asked for. All of one split, `train`,
        where no name tells splits apart.

    Raises:
        DataError: no file holds pairs, or what one file is for cannot be told.
    """
    saved = saved_splits(corpus.file)
    if saved is not None:
        _refuse_beside_saved(corpus.file)
        return {name: read_saved(corpus, name, files) for name, files in saved.items()}
    declared = declared_files(corpus.file)
    splits = declared if declared is not None else _splits_by_name(corpus)
    return {name: _read_files(corpus, files) for name, files in splits.items()}


def _refuse_beside_saved(folder: Path) -> None:
    beside = [
        path
        for _, path in visible_files(folder)
        if suffix(path) in FORMATS and not _is_description(path)
    ]
    if beside:
        raise DataError(
            f"{folder} holds a data set that save_to_disk wrote, and {_named(beside, folder)} "
            "beside it: move one of them to another folder"
        )


def _read_files(corpus: Corpus, files: Sequence[Path]) -> Iterator[RawPair]:
    for file in files:
        read = reader(FORMATS[suffix(file)])
        yield from read(replace(corpus, path=str(file), target_path=None))


def _splits_by_name(corpus: Corpus) -> dict[str, list[Path]]:
    folder = corpus.file
    files = _data_files(corpus)
    if not files:
        raise DataError(
            f"{folder} holds no files that end in "
            f"{', '.join(name for name in FORMATS if name not in _NOT_READ)}, and nothing that "
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
            f"{folder} has files for {', '.join(splits)}, and {_named(unclear, folder)} of which "
            "the split cannot be told: put one of train, validation and test into each name, or "
            "move what is not to be read"
        )
    return splits


def _split_of(path: Path) -> str | None:
    """Split that a file's name tells, or else the nearest folder's that tells one."""
    for part in (path.name, *reversed(path.parent.parts)):
        words = _WORDS.findall(part.casefold())
        found = [split for split, usual in SPLIT_NAMES.items() if set(usual) & set(words)]
        if len(found) > 1:
            return None
        if found:
            return found[0]
    return None


def _data_files(corpus: Corpus) -> list[Path]:
    """Files that hold pairs, sorted; what else may hold sentences is refused or named."""
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
            f"{folder} holds {_named(found, folder)}, which can be read from a folder, and "
            f"{_named(unread, folder)}, which cannot: name one file with data.path (and "
            "data.target_path), or move what is not to be read"
        )
    if unread:
        raise DataError(
            f"{folder} cannot be read as a data set: {_named(unread, folder)} cannot be read from "
            "a folder of files. Name one file with data.path, and for two text files "
            "data.target_path; of what save_to_disk wrote, name the folder it wrote"
        )
    if other and found:
        log.warning("%s: passed over, as no reader knows them: %s", folder, _named(other, folder))
    return found


def _is_description(path: Path) -> bool:
    """Whether a file is about the data, such as a licence; a table of that name is data."""
    about = _ABOUT.fullmatch(path.name) and suffix(path) not in FORMATS.keys() - _NOT_READ
    return path.name in _DESCRIPTIONS or bool(about)


def visible_files(folder: Path) -> list[tuple[str, Path]]:
    """List the names below a folder and the files; hidden ones and `__MACOSX` are left out."""
    found: list[Path] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        if os.path.realpath(place) in seen:  # a link to a folder above
            folders.clear()
            continue
        seen.add(os.path.realpath(place))
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        found += (Path(place) / name for name in names if not name.startswith("."))
    return sorted((file.relative_to(folder).as_posix(), file) for file in found)


def _is_language(kind: str, corpus: Corpus) -> bool:
    """Whether a suffix is one of the languages, as in `train.en` and `train.ta`."""
    tag = kind.removeprefix(".")
    return speaks(tag, corpus.source_language) or speaks(tag, corpus.target_language)


def _named(files: Sequence[Path], folder: Path) -> str:
    names = [file.relative_to(folder).as_posix() for file in files[:3]]
    return ", ".join(names) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
