"""What users of the Role may not create with their own token, whatever they ask for."""

from collections.abc import Callable

import pytest

from k8s.objects.names import COMPONENT, INSTANCE
from tests.support.chart.rendering import JsonObject
from tests.support.k8s.applied_release import RELEASE, Applied
from tests.support.k8s.user_requests import (
    SECRET,
    TOKEN,
    Ask,
    Change,
    changed,
    cluster,
    code,
    command,
    container,
    env,
    env_from,
    first,
    head,
    job,
    pod,
    says,
    spec,
    template,
    volume,
)

IN_PODS: dict[str, tuple[Change, str]] = {
    "a foreign Secret by env": (env(**SECRET), "env 'MORE'"),
    "a ConfigMap by env": (env(configMapKeyRef={"name": "x", "key": "y"}), "env 'MORE'"),
    "a foreign Secret by envFrom": (env_from(secretRef={"name": "other-team"}), "envFrom of"),
    "a foreign Secret with a prefix": (
        env_from(secretRef={"name": "hub"}, prefix="A"),
        "envFrom of",
    ),
    "a foreign ConfigMap by envFrom": (env_from(configMapRef={"name": "x"}), "envFrom of"),
    "a foreign Secret by volume": (volume(secret={"secretName": "other-team"}), "volume 'more'"),
    "a named Secret by volume": (volume(secret={"secretName": "hub"}), "volume 'more'"),
    "a foreign ConfigMap": (volume(configMap={"name": "other-team"}), "volume 'more'"),
    "a foreign claim": (volume(persistentVolumeClaim={"claimName": "other"}), "volume 'more'"),
    "a new claim": (volume(ephemeral={"volumeClaimTemplate": {"spec": {}}}), "volume 'more'"),
    "a token by volume": (volume(projected={"sources": [TOKEN]}), "volume 'more'"),
    "a folder of the node": (volume(hostPath={"path": "/"}), "volume 'more'"),
    "files of a server": (volume(nfs={"server": "a", "path": "/"}), "volume 'more'"),
    "a driver's volume": (volume(csi={"driver": "secrets-store.csi.k8s.io"}), "volume 'more'"),
    "two sources of a volume": (
        volume(emptyDir={}, hostPath={"path": "/"}),
        "volume 'more'",
    ),
    "another account": (spec(serviceAccountName=f"{RELEASE}-autoscaler"), "serviceAccountName"),
    "the serving account": (spec(serviceAccountName=f"{RELEASE}-serving"), "serviceAccountName"),
    "the default account": (lambda made: pod(made).pop("serviceAccountName"), "template"),
    "a mounted token": (spec(automountServiceAccountToken=True), "automountServiceAccountToken"),
    "a token by default": (lambda made: pod(made).pop("automountServiceAccountToken"), "template"),
    "the node's network": (spec(hostNetwork=True), "hostNetwork"),
    "the node's processes": (spec(hostPID=True), "hostPID"),
    "the node's memory": (spec(hostIPC=True), "hostIPC"),
    "a chosen node": (spec(nodeName="control-plane"), "nodeName"),
    "a foreign toleration": (spec(tolerations=[{"operator": "Exists"}]), "tolerations"),
    "a foreign pull secret": (spec(imagePullSecrets=[{"name": "other-team"}]), "imagePullSecrets"),
    "host names of its own": (
        spec(hostAliases=[{"ip": "10.0.0.1", "hostnames": ["a"]}]),
        "hostAliases",
    ),
    "another runtime": (spec(runtimeClassName="unsafe"), "runtimeClassName"),
    "a device": (spec(resourceClaims=[{"name": "a", "resourceClaimName": "b"}]), "resourceClaims"),
    "root": (spec(securityContext={"runAsUser": 0}), "securityContext"),
    "the image's user": (lambda made: pod(made).pop("securityContext"), "template|securityContext"),
    "a higher priority": (spec(priorityClassName="system-node-critical"), "priorityClassName"),
    "a privileged container": (container(securityContext={"privileged": True}), "securityContext"),
    "a container without limits": (
        lambda made: first(made).pop("securityContext"),
        "securityContext",
    ),
    "a port of the node": (container(ports=[{"containerPort": 1, "hostPort": 1}]), "ports may not"),
    "a device as block": (
        container(volumeDevices=[{"name": "a", "devicePath": "/a"}]),
        "volumeDevices",
    ),
    "a probe of another host": (
        container(livenessProbe={"httpGet": {"host": "169.254.169.254", "port": 80}}),
        "no host",
    ),
    "a hook to another host": (
        container(lifecycle={"postStart": {"tcpSocket": {"host": "10.0.0.1", "port": 80}}}),
        "no host",
    ),
    "requests of clients": (
        lambda made: template(made)["metadata"]["labels"].update({COMPONENT: "serving"}),
        "label 'app.kubernetes.io/component'",
    ),
    "another release's network": (
        lambda made: template(made)["metadata"]["labels"].update({INSTANCE: "other"}),
        "label 'app.kubernetes.io/instance'",
    ),
    "a node type of Ray": (
        lambda made: template(made)["metadata"]["labels"].update({"ray.io/node-type": "worker"}),
        "label 'ray.io/node-type'",
    ),
    "no labels": (lambda made: template(made)["metadata"].pop("labels"), "template"),
    "annotations": (
        lambda made: template(made)["metadata"].setdefault("annotations", {}).update({"a": "b"}),
        "annotations",
    ),
    "a finalizer of Pods": (
        lambda made: template(made)["metadata"].update(finalizers=["a/b"]),
        "metadata.finalizers",
    ),
}
IN_RAY_JOBS: dict[str, tuple[Change, str]] = {
    "another account by its old name": (spec(serviceAccount="default"), "serviceAccount"),
    "an image as volume": (volume(image={"reference": "a"}), "volume 'more'"),
    "an account that scales": (
        lambda made: cluster(made).update(enableInTreeAutoscaling=True),
        "enableInTreeAutoscaling",
    ),
    "an autoscaler's Secret": (
        lambda made: cluster(made).update(
            autoscalerOptions={"envFrom": [{"secretRef": {"name": "other-team"}}]}
        ),
        "autoscalerOptions",
    ),
    "a Redis password": (
        lambda made: cluster(made).update(
            gcsFaultToleranceOptions={"redisAddress": "a:1", "redisPassword": {"valueFrom": SECRET}}
        ),
        "gcsFaultToleranceOptions",
    ),
    "another token's Secret": (
        lambda made: cluster(made).update(
            authOptions={"mode": "token", "secretName": "other-team"}
        ),
        "authOptions",
    ),
    "no token": (lambda made: cluster(made).pop("authOptions"), "authOptions"),
    "a Service of any kind": (
        lambda made: head(made).update(headService={"spec": {"type": "LoadBalancer"}}),
        "headGroupSpec.headService",
    ),
    "a type of Service": (
        lambda made: head(made).update(serviceType="NodePort"),
        "headGroupSpec.serviceType",
    ),
    "an Ingress": (
        lambda made: head(made).update(enableIngress=True),
        "headGroupSpec.enableIngress",
    ),
    "annotations of a Service": (
        lambda made: cluster(made).update(headServiceAnnotations={"a": "b"}),
        "headServiceAnnotations",
    ),
    "another controller": (
        lambda made: made["spec"].update(managedBy="kueue.x-k8s.io/multikueue"),
        "spec.managedBy",
    ),
    "rules of deletion": (
        lambda made: made["spec"].update(
            deletionStrategy={
                "onSuccess": {"policy": "DeleteNone"},
                "onFailure": {"policy": "DeleteNone"},
            }
        ),
        "spec.deletionStrategy",
    ),
    "a worker group's suspension": (
        lambda made: cluster(made)["workerGroupSpecs"][0].update(suspend=True),
        "workerGroupSpecs.suspend",
    ),
    "a Secret in workers": (
        lambda made: cluster(made)["workerGroupSpecs"][0]["template"]["spec"]["volumes"].append(
            {"name": "more", "secret": {"secretName": "other-team"}}
        ),
        "volume 'more'",
    ),
    "a Secret in an init container": (
        lambda made: pod(made).update(
            initContainers=[
                {**first(made), "name": "a", "env": [{"name": "B", "valueFrom": SECRET}]}
            ]
        ),
        "env 'B'",
    ),
    "another account of the submitter": (
        lambda made: made["spec"]["submitterPodTemplate"]["spec"].update(
            serviceAccountName=f"{RELEASE}-autoscaler"
        ),
        "serviceAccountName",
    ),
    "no submitter": (lambda made: made["spec"].pop("submitterPodTemplate"), "submitterPodTemplate"),
    "the endpoint's cluster": (
        lambda made: made.update(
            spec={**job_on(made), "clusterSelector": {"ray.io/cluster": f"{RELEASE}-abcde"}}
        ),
        "clusterSelector",
    ),
    "any cluster of a label": (
        lambda made: made.update(
            spec={**job_on(made), "clusterSelector": {"ray.io/serve": "true"}}
        ),
        "clusterSelector",
    ),
}
AROUND: dict[str, tuple[Change, str]] = {
    "an owner": (
        lambda made: made["metadata"].update(
            ownerReferences=[{"apiVersion": "v1", "kind": "Secret", "name": "a", "uid": "b"}]
        ),
        "metadata.ownerReferences",
    ),
    "a finalizer": (
        lambda made: made["metadata"].update(finalizers=["a.b/c"]),
        "metadata.finalizers",
    ),
    "no labels": (
        lambda made: made["metadata"].pop("labels"),
        f"{INSTANCE}|label",
    ),
    "another release": (lambda made: made["metadata"]["labels"].update({INSTANCE: "a"}), INSTANCE),
    "another component": (
        lambda made: made["metadata"]["labels"].update({COMPONENT: "release"}),
        COMPONENT,
    ),
    "a label of others": (
        lambda made: made["metadata"]["labels"].update({"grafana_dashboard": "1"}),
        "label 'grafana_dashboard'",
    ),
    "an annotation of KubeRay": (
        lambda made: made["metadata"].update(annotations={"ray.io/ft-enabled": "true"}),
        "annotation 'ray.io/ft-enabled'",
    ),
}


def job_on(made: JsonObject) -> JsonObject:
    """The spec of a RayJob on a running cluster."""
    left_out = {
        "rayClusterSpec",
        "backoffLimit",
        "shutdownAfterJobFinishes",
        "ttlSecondsAfterFinished",
    }
    return {key: value for key, value in made["spec"].items() if key not in left_out}


@pytest.mark.parametrize("make", [job, command], ids=["RayJob", "Job"])
@pytest.mark.parametrize("theft", sorted(IN_PODS))
def test_a_pod_of_a_user_has_only_what_the_release_gives(
    release: Applied, refusal: Ask, theft: str, make: Callable[[Applied], JsonObject]
) -> None:
    change, expected = IN_PODS[theft]
    found = refusal(changed(make(release), change))
    # Of a Job, the API server itself checks the Pod first.
    assert says(found, expected) or "is invalid: " in found, found


@pytest.mark.parametrize("theft", sorted(IN_RAY_JOBS))
def test_kuberay_makes_only_jobs_for_a_user(release: Applied, refusal: Ask, theft: str) -> None:
    change, expected = IN_RAY_JOBS[theft]
    found = refusal(changed(job(release), change))
    assert says(found, expected), found


@pytest.mark.parametrize("make", [job, command, code], ids=["RayJob", "Job", "ConfigMap"])
@pytest.mark.parametrize("theft", sorted(AROUND))
def test_an_object_of_a_user_is_one_of_its_own_jobs(
    release: Applied, refusal: Ask, theft: str, make: Callable[[Applied], JsonObject]
) -> None:
    change, expected = AROUND[theft]
    found = refusal(changed(make(release), change))
    assert says(found, expected), found


def test_the_code_of_no_release_is_named_like_a_release(release: Applied, refusal: Ask) -> None:
    found = refusal(
        changed(code(release), lambda made: made["metadata"].update(name="x-release")),
    )
    assert "nmt-code-" in found


def test_an_older_version_of_the_kind_is_checked_too(release: Applied, refusal: Ask) -> None:
    old = changed(job(release), lambda made: made.update(apiVersion="ray.io/v1alpha1"))
    assert says(refusal(changed(old, env(**SECRET))), "spec.|env 'MORE'|authOptions")


def test_a_job_takes_no_pods_of_others(release: Applied, refusal: Ask) -> None:
    chosen = {"manualSelector": True, "selector": {"matchLabels": {"a": "b"}}}
    found = refusal(changed(command(release), lambda made: made["spec"].update(chosen)))
    assert says(found, "spec.manualSelector") or "is invalid" in found, found
