"""The opening of an input: its format, and the splits of a data set."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NoReturn

from nmt.data.formats.corpus import SPLIT_NAMES, Corpus
from nmt.data.formats.data_sets.file_pairs import find_file_pairs
from nmt.data.formats.data_sets.folder import open_file_pair, read_archive, read_folder
from nmt.data.formats.data_sets.hub import read_hub
from nmt.data.formats.data_sets.listing import Entry, local_files, name_files
from nmt.data.formats.files.input_file import InputFile, is_zip
from nmt.data.formats.files.unpack import open_bytes
from nmt.data.formats.readers import FORMATS, reader, suffix
from nmt.data.formats.rows import Row
from nmt.errors import DataError, did_you_mean

log = logging.getLogger(__name__)

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(:[\w.-]+)?")


def open_splits(corpus: Corpus, setting: str = "auto") -> dict[str, Iterator[Row]]:
    """Open the split that an input is for, and for `data.path` other ones if it has them.

    Raises:
        DataError: there is no such file, its format cannot be recognised, or it has no such split.
        UnavailableError: the hub cannot be reached.
    """
    # First, since a prefix is not a file and could be taken for a data set of the hub.
    prefixed = _find_prefixed(corpus) if setting in ("auto", "text") else None
    if prefixed:
        return {corpus.part: prefixed}
    found = find_format(corpus, setting)
    if found == "datasets":
        return _open_data_set(corpus)
    if found == "archive" or is_zip(corpus.file.path):
        return _choose_splits(corpus, read_archive(corpus, setting))
    if corpus.target_path and not Path(corpus.target_path).exists():
        _refuse_missing(Path(corpus.target_path))
    return {corpus.part: reader(found)(corpus)}


def find_format(corpus: Corpus, setting: str = "auto") -> str:
    """Find the name of the format of an input.

    Raises:
        DataError: there is no such file, or its format cannot be recognised.
    """
    if not corpus.path or "://" in corpus.path:
        raise DataError(f"data is read from local files, not from {corpus.path!r}: copy it first")
    path = Path(corpus.path)
    if setting == "datasets" or (path.is_dir() and setting == "auto"):
        return "datasets"
    if not path.exists():
        if setting == "auto" and _looks_like_hub_name(corpus):
            return "datasets"
        _refuse_missing(path)
    if path.is_dir():
        raise DataError(
            f"{path} is a folder: with {corpus.format_setting}={setting} name a file in it"
        )
    if setting != "auto":
        return setting
    return "archive" if is_zip(path) and not corpus.target_path else _by_suffix(corpus)


def _open_data_set(corpus: Corpus) -> dict[str, Iterator[Row]]:
    if Path(corpus.path).is_file():
        raise DataError(
            f"{corpus.path} is a file: {corpus.format_setting}=datasets takes a folder or a data "
            "set's name"
        )
    if corpus.target_path is not None:
        raise DataError(
            f"{corpus.path} is not a text file, but {corpus.target_setting} names its "
            f"translations: name a text file with {corpus.setting}, or unset "
            f"{corpus.target_setting}"
        )
    return _choose_splits(
        corpus, read_folder(corpus) if Path(corpus.path).is_dir() else read_hub(corpus)
    )


def _choose_splits(corpus: Corpus, splits: dict[str, Iterator[Row]]) -> dict[str, Iterator[Row]]:
    names = _split_names(corpus, list(splits))
    unread = splits.keys() - names.values()
    if unread and corpus.part == "train":
        log.warning("%s: ignored splits: %s", corpus.path, ", ".join(sorted(unread)))
    return {part: splits[name] for part, name in names.items()}


def _split_names(corpus: Corpus, names: list[str]) -> dict[str, str]:
    """Map the parts to read to the names of their splits in the data set."""
    if len(names) == 1:
        return {corpus.part: names[0]}
    present = {
        part: [name for name in usual if name in names] for part, usual in SPLIT_NAMES.items()
    }
    found = {part: usual[0] for part, usual in present.items() if usual}
    if corpus.part not in found:
        raise DataError(
            f"{corpus.path} has no {corpus.part} split; it has {', '.join(names) or 'none'}. "
            "Name a data set that has one, or a file"
        )
    # Only `data.path` may give several parts: a validation data set must not replace the test one.
    return found if corpus.setting == "data.path" else {corpus.part: found[corpus.part]}


def _find_prefixed(corpus: Corpus) -> Iterator[Row] | None:
    """Open the two text files that begin with a path, as `corpus.en` and `corpus.ta`."""
    path = Path(corpus.path)
    if path.exists() or not path.name or corpus.target_path or not path.parent.is_dir():
        return None
    entries = [Entry(PurePosixPath(name), InputFile(file)) for name, file in local_files(path)]
    pairs, _ = find_file_pairs(entries, corpus)
    if len(pairs) > 1:
        files = [entry for pair in pairs for entry in pair]
        raise DataError(
            f"{corpus.path}: {name_files(files, shown=6)} begin so: set {corpus.setting} to more "
            f"of the name, or {corpus.setting} and {corpus.target_setting} to two of them"
        )
    return open_file_pair(corpus, pairs[0]) if pairs else None


def _looks_like_hub_name(corpus: Corpus) -> bool:
    path = Path(corpus.path)
    # A misspelt file has a known suffix, or its folder exists.
    return (
        HUB_NAME.fullmatch(corpus.path) is not None
        and suffix(path.name) not in FORMATS
        and corpus.target_path is None
        and not path.parent.is_dir()
    )


def _by_suffix(corpus: Corpus) -> str:
    known = FORMATS.get(suffix(corpus.file.name))
    if corpus.target_path is None:
        if known:
            return known
        with open_bytes(corpus.file):  # refuses a file that is not text, and says what it is
            pass
        raise DataError(
            f"{corpus.path}: the suffix does not show the format. Rename it to one of "
            f"{', '.join(FORMATS)} (or set {corpus.format_setting}), or set "
            f"{corpus.target_setting} if the translations are in a second file"
        )
    if known in (None, "text"):
        return "text"
    raise DataError(
        f"{corpus.path} is {known} and holds both languages: unset {corpus.target_setting}, or "
        f"set {corpus.format_setting}=text if it is plain text"
    )


def _refuse_missing(path: Path) -> NoReturn:
    folder = path.parent
    if not folder.is_dir():
        raise DataError(f"there is no file {path}, nor a folder {folder}")
    names = [entry.name for entry in folder.iterdir()]
    visible = sorted(name for name in names if not name.startswith("."))
    first = (", ".join(visible[:8]) + (", ..." if len(visible) > 8 else "")) or "nothing"
    hint = did_you_mean(path.name, names) or f" The folder holds {first}."
    raise DataError(f"there is no file {path}.{hint}")
