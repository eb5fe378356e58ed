"""What a reader has to know: where the text lies, which two languages, which columns."""

from dataclasses import dataclass
from pathlib import Path

SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "devtest", "testing", "evaluation", "eval"),
}
"""Split -> names it goes by, the usual one first."""

RawPair = tuple[str, str]
"""Source and target as they stand in the file."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """One input of `nmt prepare`."""

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
    """Split that this input is to be."""
    max_pairs: int | None = None
    """Most pairs that are read."""

    @property
    def file(self) -> Path:
        """The path, when it is one."""
        return Path(self.path)

    @property
    def setting(self) -> str:
        """Setting that names the path."""
        return "data.path" if self.part == "train" else f"data.{self.part}_path"

    @property
    def target_setting(self) -> str:
        """Setting that names the file of the target side."""
        return "data.target_path" if self.part == "train" else f"data.{self.part}_target_path"
