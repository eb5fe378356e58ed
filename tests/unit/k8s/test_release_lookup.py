import json

import pytest

from k8s.api.cluster import CONFIG_MAP
from k8s.observe.lookup import find_release
from nmt.errors import InputError
from tests.support.k8s.fake_cluster import FakeCluster
from tests.unit.k8s.conftest import install


def test_the_only_release_needs_no_name(cluster):
    assert find_release(cluster, None).name == "demo"


def test_several_releases_need_a_name(cluster):
    install(cluster, name="other")
    with pytest.raises(InputError, match="--release: demo, other"):
        find_release(cluster, None)


def test_a_release_is_found_by_its_name(cluster):
    install(cluster, name="other")
    assert find_release(cluster, "other").name == "other"


def test_an_unknown_release_is_refused_with_the_known_names(cluster):
    with pytest.raises(InputError, match=r"has demo\. Did you mean 'demo'"):
        find_release(cluster, "dem")


def test_a_namespace_without_a_release_is_refused_with_how_to_install_one():
    with pytest.raises(InputError, match=r"helm install NAME helm/nmt -n team"):
        find_release(FakeCluster(), None)


def test_a_release_of_an_unreadable_version_is_refused_with_advice(cluster):
    cluster.objects["ConfigMap", "demo-release"]["data"]["release.json"] = '{"name": "demo"}'
    with pytest.raises(InputError, match="upgrade the release and nmt-k8s to the same version"):
        find_release(cluster, None)


@pytest.mark.parametrize("key", ["deadlineSeconds", "pendingSeconds", "keepSeconds"])
def test_a_release_with_a_time_that_kuberay_could_not_read_is_refused(cluster, key):
    data = cluster.objects["ConfigMap", "demo-release"]["data"]
    fields = json.loads(data["release.json"])
    fields["jobs"][key] = 3_000_000_000
    data["release.json"] = json.dumps(fields)
    with pytest.raises(InputError, match=rf"jobs\.{key}"):
        find_release(cluster, None)


def test_unknown_fields_of_a_newer_chart_are_ignored(cluster):
    data = cluster.objects["ConfigMap", "demo-release"]["data"]
    fields = json.loads(data["release.json"])
    fields |= {"gateway": {}, "jobs": {**fields["jobs"], "notify": ""}}
    data["release.json"] = json.dumps(fields)
    assert find_release(cluster, None).name == "demo"


def test_another_unreadable_release_does_no_harm(cluster):
    labels = {"app.kubernetes.io/component": "release"}
    metadata = {"name": "old-release", "labels": labels}
    cluster.add(CONFIG_MAP, "old-release", metadata=metadata, data={})
    assert find_release(cluster, "demo").name == "demo"
