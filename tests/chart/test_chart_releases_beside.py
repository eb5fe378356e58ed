"""Names of objects of several releases, which must not meet."""

import pytest
import yaml

from tests.support.chart.rendering import (
    CHART,
    EVERYTHING,
    JsonObject,
    pods,
    release_json,
    render,
)
from tests.support.project import PROJECT

CLUSTER_WIDE = {
    "CustomResourceDefinition",
    "PriorityClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}


def names(name: str, namespace: str) -> set[tuple[str, str, str]]:
    """Namespace, kind and name of each object; no namespace where it belongs to the cluster."""
    # All releases share the definition of campaigns, and one alone installs it.
    values = {**EVERYTHING, "crds": {"install": False}}
    made = render(values, name=name, namespace=namespace)
    return {
        ("" if m["kind"] in CLUSTER_WIDE else namespace, m["kind"], m["metadata"]["name"])
        for m in made
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("a", "team"), ("b", "team")),
        (("nmt", "team"), ("nmt-b", "team")),
        (("c", "a-b"), ("b-c", "a")),
        (("nmt", "one"), ("nmt", "two")),
    ],
)
def test_two_releases_have_no_object_in_common(first, second):
    assert not names(*first) & names(*second)


def test_objects_of_the_whole_cluster_have_no_namespace_and_all_others_have_one():
    for found in render(EVERYTHING):
        assert ("namespace" in found["metadata"]) == (found["kind"] not in CLUSTER_WIDE), found


def test_two_releases_of_a_namespace_share_no_pod_labels():
    def instances(name: str) -> set[str]:
        found = pods(render(EVERYTHING, name=name))
        return {pod.metadata["labels"]["app.kubernetes.io/instance"] for pod in found}

    assert (instances("a"), instances("b")) == ({"a"}, {"b"})
    assert release_json(render(name="a"))["name"] == "a"


@pytest.mark.parametrize("path", sorted((CHART / "values").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_command_of_a_ready_values_file_names_the_images(path):
    text = path.read_text("utf-8")
    values: JsonObject = yaml.safe_load(text)
    (install,) = [part for part in text.split("\n#\n") if "# Install: helm install" in part]
    assert f"-f {path.relative_to(PROJECT)}" in install
    for key in ("image", "toolsImage"):
        assert f"--set {key}.repository=" in install or values.get(key, {}).get("repository"), key
