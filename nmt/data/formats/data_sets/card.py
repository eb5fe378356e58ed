"""The files of each split, as the card of a hub data set (`README.md`) lists them."""

import re
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from nmt.data.formats.readers import FORMATS, suffix
from nmt.errors import DataError

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\n(?P<yaml>.*?)\n---[ \t]*(\n|\Z)", re.DOTALL)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Patterns = Annotated[list[str], BeforeValidator(_as_list)]


class SplitFiles(BaseModel):
    """The files of a split, as patterns below the folder."""

    split: str
    path: Patterns


class Subset(BaseModel):
    """A configuration of a data set."""

    config_name: str = "default"
    data_files: list[SplitFiles] | Patterns = []
    data_dir: str | None = None


class Card(BaseModel):
    """The part of a card that is read."""

    configs: list[Subset] = Field(default=[])


def declared_files(folder: Path) -> dict[str, list[Path]] | None:
    """Find the files of each split that the card of a folder lists.

    Returns:
        None if there is no card, or if it does not list files.

    Raises:
        DataError: the card has several subsets, or lists files that are missing or unreadable.
    """
    subsets = _card(folder).configs
    if len(subsets) > 1:
        names = ", ".join(subset.config_name for subset in subsets[:12])
        raise DataError(
            f"{folder} has {len(subsets)} subsets ({names}), as its README.md says: set "
            "data.path to a file, or to a folder with the files of only one subset"
        )
    if not subsets or not (subsets[0].data_files or subsets[0].data_dir):
        return None
    return {name: _files(folder, patterns) for name, patterns in _patterns(subsets[0]).items()}


def _card(folder: Path) -> Card:
    try:
        text = (folder / "README.md").read_text("utf-8")
        front = _FRONT_MATTER.match(text)
        return Card.model_validate(yaml.safe_load(front["yaml"]) or {}) if front else Card()
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError):
        return Card()  # a README.md may be written for people alone


def _patterns(subset: Subset) -> dict[str, list[str]]:
    below = f"{subset.data_dir.strip('/')}/" if subset.data_dir else ""
    named: dict[str, list[str]] = {}
    for entry in subset.data_files or ["**/*"]:
        if isinstance(entry, SplitFiles):
            named.setdefault(entry.split, []).extend(below + path for path in entry.path)
        else:
            named.setdefault("train", []).append(below + entry)
    return named


def _files(folder: Path, patterns: list[str]) -> list[Path]:
    found: dict[Path, None] = {}
    for pattern in patterns:
        try:
            matches = sorted(path for path in folder.glob(pattern) if path.is_file())
        except (ValueError, NotImplementedError, IndexError):
            matches = []  # the pattern is not valid, or is an absolute path
        if not matches:
            raise DataError(f"{folder}: README.md names {pattern!r}, but there is no such file")
        found |= dict.fromkeys(matches)
    # A plain text file has one language, and the card does not say which files belong together.
    for path in found:
        if suffix(path.name) not in FORMATS or suffix(path.name) == ".txt":
            raise DataError(
                f"{path}, which README.md names, cannot be read as part of a folder: convert it "
                "to JSONL, CSV, TSV, TMX or Parquet"
            )
    return list(found)
