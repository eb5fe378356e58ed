"""Output of findings, and findings about what cannot be read."""

from collections.abc import Iterator
from dataclasses import asdict

from k8s.cli.output import Output
from nmt.cli.diagnostics import Finding
from nmt.errors import ClusterError, InputError


def show_findings(findings: list[Finding], output: Output) -> None:
    """Write one line per finding."""
    output.answer([asdict(finding) for finding in findings], "\n".join(map(str, findings)))


def note_unreadable(name: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield findings, and a note in place of those that this user may not read."""
    try:
        yield from findings
    except (ClusterError, InputError) as error:
        yield Finding(name, "note", f"cannot be read: {error}")
