"""What the card of a hub data set (`README.md`) says about the files of its splits."""

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
    """Files of one split, as patterns below the folder."""

    split: str
    path: Patterns


class Subset(BaseModel):
    """One configuration of a data set."""

    config_name: str = "default"
    data_files: list[SplitFiles] | Patterns = []
    data_dir: str | None = None


class Card(BaseModel):
    """The part of a card that is read."""

    configs: list[Subset] = Field(default=[])


def declared_files(folder: Path) -> dict[str, list[Path]] | None:
    """Find the files of each split that the card of a folder names.

    Returns:
        None where there is no card, or where it leaves the files to their names.

    Raises:
        DataError: the card has several subsets, or names files that are not there.
    """
    subsets = _card(folder).configs
    if len(subsets) > 1:
        names = ", ".join(subset.config_name for subset in subsets[:12])
        raise DataError(
            f"{folder} holds {len(subsets)} subsets ({names}), as its README.md says: set "
            "data.path to a file, or to a folder that holds the files of one subset alone"
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
        return Card()  # a page for people: what is in it need not be a card


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
            matches = []
        if not matches:
            raise DataError(f"{folder}: README.md names {pattern!r}, and no such file is there")
        found |= dict.fromkeys(matches)
    for path in found:
        if suffix(path) not in FORMATS or suffix(path) == ".txt":
            raise DataError(f"{path}, which README.md names, cannot be read from a folder")
    return list(found)
