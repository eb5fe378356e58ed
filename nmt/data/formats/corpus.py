"""The description of an input that every reader takes."""

from dataclasses import dataclass
from pathlib import Path

SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "devtest", "testing", "evaluation", "eval"),
}
"""Names that data sets use for each split, the most common first."""


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
    score_column: str | None = None
    part: str = "train"
    """Split that this input is for."""
    setting: str = "data.path"
    """Setting that names the path, for messages."""
    max_pairs: int | None = None
    """Maximum number of pairs to read."""

    @property
    def file(self) -> Path:
        """Return the path as a `Path`; a hub data set has no file there."""
        return Path(self.path)

    @property
    def target_setting(self) -> str:
        """Name the setting of the target side's file."""
        return f"{self.setting.removesuffix('path')}target_path"

    def column_setting(self, side: str) -> str:
        """Name the setting of a column, such as that of the source."""
        return f"{self.setting.rpartition('.')[0]}.{side}_column"
