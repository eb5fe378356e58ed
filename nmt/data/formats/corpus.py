"""The description of an input that every reader takes."""

from dataclasses import dataclass
from pathlib import Path

SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "devtest", "testing", "evaluation", "eval"),
}
"""Names that data sets use for each split, the most common first."""

RawPair = tuple[str, str]
"""Source and target as written in the file."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """An input of `nmt prepare`: its path, its two languages and its columns."""

    path: str
    """File, folder or `datasets` name."""
    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""
    target_path: str | None = None
    source_column: str | None = None
    target_column: str | None = None
    part: str = "train"
    """Split that this input is for."""
    max_pairs: int | None = None
    """Maximum number of pairs to read."""

    @property
    def file(self) -> Path:
        """Return the path as a `Path`; a hub data set has no file there."""
        return Path(self.path)

    @property
    def setting(self) -> str:
        """Name the setting of the path."""
        return "data.path" if self.part == "train" else f"data.{self.part}_path"

    @property
    def target_setting(self) -> str:
        """Name the setting of the target side's file."""
        return "data.target_path" if self.part == "train" else f"data.{self.part}_target_path"
