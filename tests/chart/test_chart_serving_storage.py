"""The part of the storage that the endpoint reads, and the part that it writes."""

import pytest

from nmt.runs import layout
from tests.support.chart.endpoint import group, head
from tests.support.chart.rendering import BUCKET, JsonObject, pods, render

ROOTS = {
    "defaults": ({}, "/storage/runs", "default"),
    "another endpoint": ({"config": {"serving": {"name": "shop"}}}, "/storage/runs", "shop"),
    "a folder": ({"config": {"storage": "a/./b/"}}, "/storage/a/b", "default"),
    "an absolute folder": ({"config": {"storage": "/storage/a"}}, "/storage/a", "default"),
    "the mount": ({"config": {"storage": "/storage"}}, "/storage", "default"),
    "another mount": ({"storage": {"mountPath": "/mnt/nmt"}}, "/mnt/nmt/runs", "default"),
}


TEMPLATES = [head, lambda values: group(values)["template"]]


def storage_mounts(spec: JsonObject) -> dict[str, JsonObject]:
    """Return the mounts of the claim in the Ray container, by their folder within the Pod."""
    mounts = [m for m in spec["containers"][0]["volumeMounts"] if m["name"] == "storage"]
    return {mount["mountPath"]: mount for mount in mounts if "subPathExpr" not in mount}


@pytest.mark.parametrize("case", ROOTS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_the_endpoint_sees_engines_and_its_own_folder_of_the_claim_alone(template, case):
    """Whoever breaks into a replica reads no corpus, no run and no other endpoint's documents."""
    values, root, name = ROOTS[case]
    mounts = storage_mounts(template(values)["spec"])
    whole = (values.get("storage") or {}).get("mountPath", "/storage")
    for path, mount in mounts.items():
        assert path == f"{whole}/{mount['subPath']}"
    read = {path for path, mount in mounts.items() if mount.get("readOnly")}
    assert read == {f"{root}/{layout.ENGINES}", f"{root}/{layout.endpoint(name)}"}


@pytest.mark.parametrize("case", ROOTS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_the_endpoint_writes_only_reports_documents_and_feedback_to_the_claim(template, case):
    """Whoever breaks into a replica changes neither engines, nor the traffic file, nor the keys."""
    values, root, name = ROOTS[case]
    mounts = storage_mounts(template(values)["spec"])
    written = [path for path, mount in mounts.items() if not mount.get("readOnly")]
    folders = (layout.replica_reports(name), layout.documents(name), layout.feedback(name))
    assert written == [f"{root}/{each}" for each in folders]
    # They lie in a folder that is mounted for reading, which has to come first.
    assert list(mounts).index(f"{root}/{layout.endpoint(name)}") < list(mounts).index(written[0])


@pytest.mark.parametrize("case", ROOTS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_folder_that_the_endpoint_mounts_is_made_by_the_user_of_its_pods(template, case):
    """The kubelet would make them for root, and no job could write an engine."""
    values, root, name = ROOTS[case]
    spec = template(values)["spec"]
    first = spec["initContainers"][0]
    assert first["command"][:2] == ["mkdir", "-p"]
    extra = set(first["command"][2:]) - set(storage_mounts(spec))
    assert extra <= {f"{root}/{layout.head_states(name)}"}
    assert set(storage_mounts(spec)) <= set(first["command"])
    (whole,) = [mount for mount in first["volumeMounts"] if mount["name"] == "storage"]
    assert not {"subPath", "readOnly"} & set(whole)


def test_with_a_bucket_no_folder_is_made_and_the_endpoint_may_have_keys_of_its_own():
    own = {**BUCKET, "serving": {"storageSecretName": "fewer-rights"}}
    for pod in pods(render(own)):
        assert "initContainers" not in pod.spec, pod.where
        secrets = [s["secretRef"]["name"] for s in pod.containers[0].get("envFrom", [])]
        if pod.component in ("job", "cluster", "storage", "serving"):
            assert secrets == ["fewer-rights" if pod.component == "serving" else "keys"], pod.where
