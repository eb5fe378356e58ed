"""What a look at a cluster has found."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from k8s.screen import Screen
from nmt.errors import ClusterError, InputError


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


def show(findings: list[Finding], screen: Screen) -> None:
    """Write one line per finding."""
    screen.answer([asdict(finding) for finding in findings], "\n".join(map(str, findings)))


def guarded(name: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """What may not be looked at is no fault of the cluster."""
    try:
        yield from findings
    except (ClusterError, InputError) as error:
        yield Finding(name, "note", f"cannot be looked at: {error}")
