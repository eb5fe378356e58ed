"""The metrics of all replicas as one answer to a scrape."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_COMMENT = re.compile(r"# (HELP|TYPE) (\S+) ?(.*)", re.DOTALL)
_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{?)(.*)", re.DOTALL)


@dataclass(slots=True)
class _Family:
    """A metric with the samples of all replicas."""

    comments: dict[str, str] = field(default_factory=dict)
    """`HELP` and `TYPE` -> their line, as the first replica has it."""
    samples: list[str] = field(default_factory=list)


def merge_expositions(by_replica: Mapping[str, bytes]) -> bytes:
    """Merge the expositions of several replicas, with the label `replica` on every sample.

    Args:
        by_replica: id of a replica -> what `ServingMetrics.exposition` returned there.
    """
    families: dict[str, _Family] = {}
    for replica, exposition in by_replica.items():
        for name, kind, line in _parse(exposition.decode(), f'replica="{_escape(replica)}"'):
            family = families.setdefault(name, _Family())
            if kind:
                # The replicas may be of two releases during an upgrade.
                family.comments.setdefault(kind, line)
            else:
                family.samples.append(line)
    lines = (
        line
        for family in families.values()
        for line in (*(family.comments[kind] for kind in sorted(family.comments)), *family.samples)
    )
    return "".join(f"{line}\n" for line in lines).encode()


def _parse(exposition: str, label: str) -> Iterator[tuple[str, str, str]]:
    """Yield each line with its metric and `HELP`, `TYPE` or, for a sample, nothing."""
    family = ""
    # Not `splitlines`: a label value may have one of the other characters that end a line there.
    for line in exposition.split("\n"):
        if comment := _COMMENT.fullmatch(line):
            family = comment[2]
            yield family, comment[1], line
        elif sample := _SAMPLE.fullmatch(line):
            name, brace, rest = sample.groups()
            labels = f"{{{label}," if brace else f"{{{label}}}"
            yield family, "", f"{name}{labels}{rest}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
