"""What a look at a cluster has found."""

from collections.abc import Iterator
from dataclasses import asdict

from k8s.cli.output import Output
from nmt.cli.diagnostics import Finding
from nmt.errors import ClusterError, InputError


def show(findings: list[Finding], output: Output) -> None:
    """Write one line per finding."""
    output.answer([asdict(finding) for finding in findings], "\n".join(map(str, findings)))


def guarded(name: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """What may not be looked at is no fault of the cluster."""
    try:
        yield from findings
    except (ClusterError, InputError) as error:
        yield Finding(name, "note", f"cannot be looked at: {error}")
