"""Linters of Kubernetes objects, and what they find."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from k8s.api.cluster import JsonObject
from tests.support.chart.programs import program
from tests.support.chart.schemas import SCHEMA_FILE, write_schemas

_PASSED = 10
"""Grade of kube-score for an object without a fault."""


@dataclass(frozen=True, order=True)
class Finding:
    """What a linter says about an object."""

    check: str
    message: str
    kind: str
    name: str


Releases = list[list[JsonObject]]
Linter = Callable[[Releases, Path], set[Finding]]


def checkov(releases: Releases, folder: Path) -> set[Finding]:
    """Run checkov, which knows good practice for security."""
    file = _written(_distinct(releases), folder)
    # It would ask a server for descriptions otherwise.
    options = ["--framework", "kubernetes", "--skip-download", "--quiet", "--compact"]
    report = _json(program("checkov"), "--file", str(file), *options, "-o", "json")
    # A report of no objects has no results.
    failed = report.get("results", {}).get("failed_checks", [])
    return {
        Finding(found["check_id"], found["check_name"], kind, name)
        for found in failed
        for kind, _, name in [found["resource"].split(".", 2)]
    }


def kube_score(releases: Releases, folder: Path) -> set[Finding]:
    """Run kube-score, which also looks at how the objects of a release belong together."""
    command = [program("kube-score"), "score", "--kubernetes-version", "v1.31", "-o", "json"]
    return {
        finding
        for objects in releases
        for finding in _grades(_json(*command, str(_written(objects, folder))))
    }


def _grades(report: list[JsonObject]) -> Iterator[Finding]:
    """Yield the faults that kube-score reports."""
    for item in report:
        kind, name = item["type_meta"]["kind"], item["object_meta"]["name"]
        for check in item["checks"]:
            if check["skipped"] or check["grade"] >= _PASSED:
                continue
            for comment in check["comments"] or [{"summary": check["check"]["name"]}]:
                yield Finding(check["check"]["id"], comment["summary"], kind, name)


def kubeconform(releases: Releases, folder: Path) -> set[Finding]:
    """Run kubeconform, which compares fields with the schemas of the newest Kubernetes."""
    objects = _distinct(releases)
    known = write_schemas(folder / "schemas")
    # Without a schema it could only say so: test_chart_objects.py lists such kinds.
    others = {item["kind"] for item in objects} - known
    # Each of several threads would read the large file of definitions again.
    options = ["-strict", "-n", "1", "-output", "json", "-skip", ",".join(sorted(others))]
    location = ["-schema-location", str(folder / "schemas" / SCHEMA_FILE)]
    file = _written(objects, folder)
    report = _json(program("kubeconform"), *options, *location, str(file))
    return {
        Finding(found["status"], found["msg"], found["kind"], found["name"])
        for found in report["resources"]
    }


LINTERS: dict[str, Linter] = {
    "checkov": checkov,
    "kube-score": kube_score,
    "kubeconform": kubeconform,
}


def _distinct(releases: Releases) -> list[JsonObject]:
    """List the objects of all releases, equal ones once: the programs take seconds for them."""
    return list({repr(item): item for objects in releases for item in objects}.values())


def _written(objects: list[JsonObject], folder: Path) -> Path:
    """Write objects into a file."""
    file = folder / "objects.yaml"
    file.write_text(yaml.dump_all(objects, Dumper=yaml.CSafeDumper), encoding="utf-8")
    return file


def _json(*command: str) -> Any:
    """Run a program and read the JSON that it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        raise AssertionError(f"{command[0]} ended with {done.returncode}: {done.stderr}") from None
