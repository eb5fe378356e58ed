"""Helm in the hands of an administrator of a namespace, who may do nothing in the cluster."""

import shutil
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client

from tests.support.chart.rendering import CHART, IMAGES
from tests.support.k8s.applied_release import RELEASE, Applied
from tests.support.k8s.user_requests import RBAC

PERSON = "namespace-administrator"


@pytest.fixture(scope="module")
def namespace(api: client.ApiClient) -> Iterator[str]:
    if shutil.which("helm") is None:
        pytest.skip("helm is not installed")
    core: Any = client.CoreV1Api(api)
    name = f"nmt-api-{uuid.uuid4().hex[:6]}"
    core.create_namespace({"metadata": {"name": name}})
    made = Applied(api, name, {})
    person = {"kind": "User", "name": PERSON, "apiGroup": RBAC}
    metadata = {"name": "ray", "namespace": name}
    rule = {"apiGroups": ["ray.io"], "resources": ["*"], "verbs": ["*"]}
    version = f"{RBAC}/v1"
    made.apply({"apiVersion": version, "kind": "Role", "metadata": metadata, "rules": [rule]})
    for kind, role in (("Role", "ray"), ("ClusterRole", "admin")):
        binding = {"apiVersion": version, "kind": "RoleBinding", "subjects": [person]}
        binding |= {"metadata": {"name": role, "namespace": name}}
        made.apply(binding | {"roleRef": {"apiGroup": RBAC, "kind": kind, "name": role}})
    yield name
    core.delete_namespace(name)


@pytest.mark.parametrize(
    "existing", ["", "team-training"], ids=["no class", "a class of the cluster"]
)
def test_the_restricted_values_need_no_right_in_the_cluster(namespace: str, existing: str) -> None:
    values = [f"{key}.repository={image['repository']}" for key, image in IMAGES.items()]
    values.append(f"priorities.existing.train={existing}")
    done = subprocess.run(
        [
            *("helm", "-n", namespace, "--kube-as-user", PERSON),
            *("install", RELEASE, str(CHART), "--dry-run=server"),
            *("-f", str(CHART / "values" / "restricted.yaml"), "--set", ",".join(values)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
