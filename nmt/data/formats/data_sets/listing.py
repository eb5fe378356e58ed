"""The files of a folder or a zip archive."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from nmt.data.formats.files.input_file import InputFile, zip_members


class Entry(NamedTuple):
    """A file of a folder or an archive."""

    name: PurePosixPath
    """Relative to the folder or archive."""
    file: InputFile


def entries_of(path: Path) -> list[Entry]:
    """List the files that are not hidden in a folder or a zip archive, sorted by name.

    Archives in a folder are listed as folders.

    Raises:
        DataError: an archive is damaged.
    """
    if not path.is_dir():
        return _members(path, "")
    found: list[Entry] = []
    for name, file in visible_files(path):
        if file.suffix.lower() == ".zip":
            found += _members(file, f"{name}/")
        else:
            found.append(Entry(PurePosixPath(name), InputFile(file)))
    return found


def visible_files(folder: Path) -> list[tuple[str, Path]]:
    """List the relative names and paths of all files below a folder that are not hidden."""
    found: list[Path] = []
    seen: set[str] = set()
    # Corpora are often linked from a larger disk.
    for place, folders, names in os.walk(folder, followlinks=True):
        if os.path.realpath(place) in seen:  # a link to a folder above
            folders.clear()
            continue
        seen.add(os.path.realpath(place))
        # `__MACOSX` holds copies that macOS adds to archives.
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        found += (Path(place) / name for name in names if not name.startswith("."))
    return sorted((file.relative_to(folder).as_posix(), file) for file in found)


def local_files(path: Path) -> list[tuple[str, Path]]:
    """List the names and paths of the files that an input is read from.

    Returns:
        The visible files of a folder, or the file, or the files that begin with a prefix. The path
        itself if there is nothing.
    """
    if path.is_dir():
        return visible_files(path)
    if path.exists() or not path.parent.is_dir():
        return [("", path)]
    found = [
        (file.name, file)
        for file in sorted(path.parent.iterdir())
        if file.name.startswith(f"{path.name}.") and file.is_file()
    ]
    return found or [("", path)]


def name_files(entries: Sequence[Entry], shown: int = 3) -> str:
    """List the first names for a message."""
    names = ", ".join(str(entry.name) for entry in entries[:shown])
    return names + (f" and {len(entries) - shown} more" if len(entries) > shown else "")


def _members(archive: Path, below: str) -> list[Entry]:
    return [Entry(PurePosixPath(f"{below}{file.member}"), file) for file in zip_members(archive)]
