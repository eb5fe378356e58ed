"""The findings of the `doctor` commands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    name: str
    state: str
    """`ok`, `note` or `bad`."""
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"  -> {self.remedy}" if self.remedy else ""
        return f"{self.state:<5}{self.name:<14}{self.text}{remedy}"
