"""What the doctors of this project find."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    state: str
    """`ok`, `note` or `bad`."""
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"  -> {self.remedy}" if self.remedy else ""
        return f"{self.state:<5}{self.name:<14}{self.text}{remedy}"
