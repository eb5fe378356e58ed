"""What checkov, kube-score and kubeconform find is fixed, or accepted with a reason."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from k8s.api.cluster import JsonObject
from tests.support.chart.linters import LINTERS, Finding
from tests.support.chart.plain_objects import plain_objects
from tests.support.chart.rendering import EVERYTHING, NAMESPACE, RELEASES, render

ACCEPTED: dict[str, list[JsonObject]] = yaml.safe_load(
    (Path(__file__).parent / "accepted_findings.yaml").read_text("utf-8")
)

MORE_RELEASES: dict[str, JsonObject] = {
    "only jobs": {"serving": {"enabled": False}, "monitoring": EVERYTHING["monitoring"]},
    "state in Redis": {
        "serving": {
            "headState": "redis",
            "headRedis": {"address": "redis:6379", "secretName": "redis"},
        }
    },
    "state on a claim": {"serving": {"headClaim": {"create": True}}},
    "no state": {"serving": {"headState": "none"}},
    "entrances": {
        "serving": {
            "ingress": {"enabled": True, "hosts": ["translate.example"], "tlsSecret": "tls"},
            "httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}]},
        }
    },
}
"""Values that render what no other release has, or leave out what every other has."""

linters = pytest.mark.parametrize("linter", LINTERS)


FAULTY: JsonObject = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "faulty", "namespace": NAMESPACE},
    "spec": {
        "typo": 1,
        "containers": [
            {"name": "main", "image": "x:latest", "securityContext": {"privileged": True}}
        ],
    },
}
"""A Pod in which every linter finds something that no release has."""


@cache
def findings(linter: str) -> frozenset[Finding]:
    """Return what a linter finds in all releases, and in the faulty Pod."""
    # One run for all tests: checkov takes ten seconds to start.
    values = [*RELEASES.values(), *MORE_RELEASES.values()]
    releases = [plain_objects(render(each)) for each in values]
    with TemporaryDirectory() as folder:
        return frozenset(LINTERS[linter]([*releases, [FAULTY]], Path(folder)))


def in_releases(linter: str) -> list[Finding]:
    return sorted(found for found in findings(linter) if found.name != "faulty")


def reasons(linter: str, finding: Finding) -> list[JsonObject]:
    return [entry for entry in ACCEPTED[linter] if accepts(entry, finding)]


def accepts(entry: JsonObject, finding: Finding) -> bool:
    """Tell whether an entry is about a finding."""
    same = (entry["check"], entry["message"]) == (finding.check, finding.message)
    return same and bool({finding.kind, finding.name} & {*entry["objects"]})


@linters
def test_every_finding_has_a_reason(linter):
    assert [found for found in in_releases(linter) if not reasons(linter, found)] == []


@linters
def test_every_reason_belongs_to_a_finding(linter):
    found_in_releases = in_releases(linter)
    unused = [
        f"{entry['check']} in {name}"
        for entry in ACCEPTED[linter]
        for name in entry["objects"]
        if not any(accepts({**entry, "objects": [name]}, found) for found in found_in_releases)
    ]
    assert unused == []


@linters
def test_a_fault_is_found(linter):
    in_faulty = [found for found in findings(linter) if found.name == "faulty"]
    assert [found for found in in_faulty if not reasons(linter, found)]


def test_every_entry_has_a_reason():
    entries = [entry for of_linter in ACCEPTED.values() for entry in of_linter]
    assert ACCEPTED.keys() == LINTERS.keys()
    assert all(len(entry["reason"]) > 40 for entry in entries)
