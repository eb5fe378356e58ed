"""Changes of an installed claim that an upgrade may make.

Helm asks a cluster for it; here a template of its own gives the checks what a cluster would.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.chart.rendering import JsonObject, render_template

INSTALLED: JsonObject = {
    "accessModes": ["ReadWriteMany"],
    "storageClassName": "nfs",
    "resources": {"requests": {"storage": "100Gi"}},
}
PROBE = """\
probe: >-
  {{ include "nmt.claimChanges" (dict "wanted" .Values.storage.claim "installed" (fromJson `%s`)) }}
"""


@pytest.fixture
def faults(tmp_path: Path) -> Callable[[JsonObject], str]:
    """Return what the checks report about new values of `storage.claim`."""
    return lambda claim: render_template(
        PROBE % json.dumps(INSTALLED), {"storage": {"claim": claim}}, tmp_path
    )


@pytest.mark.parametrize(
    ("key", "value", "installed"),
    [
        ("accessMode", "ReadWriteOnce", "ReadWriteMany"),
        ("storageClass", "fast", "nfs"),
        ("size", "90Gi", "100Gi"),
    ],
)
def test_a_change_that_kubernetes_would_refuse_is_refused_with_advice(
    faults, key, value, installed
):
    said = faults({key: value})
    assert f"storage.claim.{key} is '{value}', and the installed claim has '{installed}'" in said
    assert f"set storage.claim.{key}={installed}" in said


@pytest.mark.parametrize("claim", [{}, {"storageClass": "nfs"}, {"size": "1Ti"}, {"size": "100Gi"}])
def test_an_unchanged_or_larger_claim_is_accepted(faults, claim):
    assert "installed claim" not in faults(claim)
