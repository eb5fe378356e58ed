"""The opening of an input: its format, and the splits of a data set."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from nmt.data.formats.corpus import SPLIT_NAMES, Corpus
from nmt.data.formats.files.lines import open_bytes
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
    found = find_format(corpus, setting)
    if found == "datasets":
        return _open_data_set(corpus)
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
    path = corpus.file
    if setting == "datasets" or (path.is_dir() and setting == "auto"):
        return "datasets"
    if not path.exists():
        if setting == "auto" and _looks_like_hub_name(corpus):
            return "datasets"
        _refuse_missing(path)
    if path.is_dir():
        raise DataError(f"{path} is a folder: with data.format={setting} name a file in it")
    return setting if setting != "auto" else _by_suffix(corpus)


def _open_data_set(corpus: Corpus) -> dict[str, Iterator[Row]]:
    # Imported only when needed, since pyarrow is large.
    from nmt.data.formats.data_sets.folder import read_folder
    from nmt.data.formats.data_sets.hub import read_hub

    if corpus.file.is_file():
        raise DataError(
            f"{corpus.path} is a file: data.format=datasets takes a folder or a data set's name"
        )
    if corpus.target_path is not None:
        raise DataError(
            f"{corpus.path} is not a text file, but {corpus.target_setting} names its "
            f"translations: name a text file with {corpus.setting}, or unset "
            f"{corpus.target_setting}"
        )
    splits = read_folder(corpus) if corpus.file.is_dir() else read_hub(corpus)
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


def _looks_like_hub_name(corpus: Corpus) -> bool:
    path = corpus.file
    # A misspelt file has a known suffix, or its folder exists.
    return (
        HUB_NAME.fullmatch(corpus.path) is not None
        and suffix(path) not in FORMATS
        and corpus.target_path is None
        and not path.parent.is_dir()
    )


def _by_suffix(corpus: Corpus) -> str:
    known = FORMATS.get(suffix(corpus.file))
    if corpus.target_path is None:
        if known:
            return known
        with open_bytes(corpus.file):  # refuses a file that is not text, and says what it is
            pass
        raise DataError(
            f"{corpus.path}: the suffix does not show the format. Rename it to one of "
            f"{', '.join(FORMATS)} (or set data.format for data.path), or set "
            f"{corpus.target_setting} if the translations are in a second file"
        )
    if known in (None, "text"):
        return "text"
    raise DataError(
        f"{corpus.path} is {known} and holds both languages: unset {corpus.target_setting}, or "
        "set data.format=text if it is plain text"
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
