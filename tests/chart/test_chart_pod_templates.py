"""Changes of the values to Pod templates: where they go, how they merge, and what is refused."""

import helm_python
import pytest
import yaml

from tests.support.chart.rendering import EVERYTHING, JsonObject, PodTemplate, pods, refusal, render

WRONG: dict[str, tuple[str, list[str]]] = {
    "host network": (
        "podTemplate: {spec: {hostNetwork: true}}",
        ["/podTemplate/spec/hostNetwork", "refused by Pod Security restricted"],
    ),
    "folder of the node": (
        "podTemplate: {spec: {volumes: [{name: x, hostPath: {path: /}}]}}",
        ["/podTemplate/spec/volumes/0/hostPath", "refused by Pod Security restricted"],
    ),
    "account": (
        "jobs: {head: {podTemplate: {spec: {serviceAccountName: admin}}}}",
        ["/jobs/head/podTemplate/spec/serviceAccountName", "see serviceAccounts"],
    ),
    "token": (
        "podTemplate: {spec: {automountServiceAccountToken: true}}",
        ["automountServiceAccountToken", "only an autoscaling head has a token"],
    ),
    "user": (
        "podTemplate: {spec: {securityContext: {runAsUser: 0}}}",
        ["/podTemplate/spec/securityContext/runAsUser", "see podSecurity"],
    ),
    "restarts": (
        "workers: {cpu: {podTemplate: {spec: {restartPolicy: Never}}}}",
        ["/workers/cpu/podTemplate/spec/restartPolicy", "set by KubeRay"],
    ),
    "unknown field": (
        "podTemplate: {spec: {hostAlias: []}}",
        ["/podTemplate/spec", "'hostAlias' not allowed"],
    ),
    "privileged sidecar": (
        "serving: {pods: {podTemplate: {spec: {containers: [{name: a, image: a:1,"
        " securityContext: {privileged: true}}]}}}}",
        ["/containers/0/securityContext/privileged", "must be false"],
    ),
    "root sidecar": (
        "serving: {pods: {podTemplate: {spec: {containers: [{name: a, image: a:1,"
        " securityContext: {runAsUser: 0}}]}}}}",
        ["/containers/0/securityContext/runAsUser"],
    ),
    "sidecar with capabilities": (
        "serving: {pods: {podTemplate: {spec: {containers: [{name: a, image: a:1,"
        " securityContext: {capabilities: {drop: [NET_RAW]}}}]}}}}",
        ["serving.pods.podTemplate.spec.containers 'a'", "capabilities.drop lacks 'ALL'"],
    ),
    "port of the node": (
        "serving: {pods: {podTemplate: {spec: {containers: [{name: a, image: a:1,"
        " ports: [{containerPort: 90, hostPort: 90}]}]}}}}",
        ["/ports/0/hostPort", "refused by Pod Security restricted"],
    ),
    "port of Ray": (
        "serving: {pods: {podTemplate: {spec: {containers: [{name: a, image: a:1,"
        " ports: [{containerPort: 8080}]}]}}}}",
        ["containers 'a' has port 8080", "Ray takes"],
    ),
    "port of a Ray process": (
        "serving: {pods: {podTemplate: {spec: {containers: [{name: a, image: a:1,"
        " ports: [{containerPort: 15000}]}]}}}}",
        ["containers 'a' has port 15000"],
    ),
    "sidecar of every Pod": (
        "podTemplate: {spec: {containers: [{name: a, image: a:1}]}}",
        ["podTemplate.spec.containers 'a' would run on", "restartPolicy: Always"],
    ),
    "container without image": (
        "workers: {cpu: {podTemplate: {spec: {containers: [{name: a}]}}}}",
        ["workers.cpu.podTemplate.spec.containers 'a' has no image", "'main'"],
    ),
    "command of the Pod's own container": (
        "jobs: {head: {podTemplate: {spec: {containers: [{name: main, command: [sh]}]}}}}",
        ["jobs.head.podTemplate.spec.containers 'main' has 'command'", "leave it out"],
    ),
    "image of the Pod's own container, by its name": (
        "workers: {cpu: {podTemplate: {spec: {containers: [{name: ray-worker, image: a:1}]}}}}",
        ["containers 'ray-worker' has 'image'", "leave it out"],
    ),
    "container of another Pod": (
        "workers: {cpu: {podTemplate: {spec: {containers: [{name: ray-head, image: a:1}]}}}}",
        ["containers 'ray-head' is a container of the chart or of KubeRay"],
    ),
    "init container of the chart": (
        "serving: {pods: {podTemplate: {spec: {initContainers: [{name: folders, image: a:1}]}}}}",
        ["initContainers 'folders' is a container of the chart"],
    ),
    "variable of the chart": (
        "podTemplate: {spec: {containers: [{name: main, env: [{name: NMT_STORAGE, value: /x}]}]}}",
        ["podTemplate.spec.containers 'main' env.NMT_STORAGE", "leave it out"],
    ),
    "volume of the chart": (
        "podTemplate: {spec: {volumes: [{name: tmp, emptyDir: {}}]}}",
        ["podTemplate.spec.volumes: 'tmp' is a volume of the chart"],
    ),
    "volume with two sources": (
        "podTemplate: {spec: {volumes: [{name: x, emptyDir: {}, secret: {secretName: a}}]}}",
        ["'x' has 2 sources (emptyDir, secret)"],
    ),
    "volume twice": (
        "podTemplate: {spec: {volumes: [{name: x, emptyDir: {}}, {name: x, csi: {driver: a}}]}}",
        ["names 'x' twice"],
    ),
    "mount without volume": (
        "podTemplate: {spec: {containers: [{name: main,"
        " volumeMounts: [{name: ca, mountPath: /etc/ca}]}]}}",
        ["mounts 'ca', which is not among the volumes (tmp)"],
    ),
    "mount over the storage": (
        "podTemplate: {spec: {volumes: [{name: ca, configMap: {name: ca}}], containers:"
        " [{name: main, volumeMounts: [{name: ca, mountPath: /storage/hub}]}]}}",
        ["mounts 'ca' at /storage/hub, which would hide"],
    ),
    "mount over the programs": (
        "podTemplate: {spec: {volumes: [{name: ca, configMap: {name: ca}}], containers:"
        " [{name: main, volumeMounts: [{name: ca, mountPath: /opt/venv/lib}]}]}}",
        ["mounts 'ca' at /opt/venv/lib, which would hide"],
    ),
    "no DNS": (
        "podTemplate: {spec: {dnsPolicy: None}}",
        ["podTemplate.spec.dnsPolicy is 'None'", "dnsConfig.nameservers"],
    ),
    "label of KubeRay": (
        "podTemplate: {metadata: {labels: {ray.io/cluster: x}}}",
        ["podTemplate.metadata.labels has 'ray.io/cluster'"],
    ),
    "wrong label": (
        "cluster: {head: {podTemplate: {metadata: {labels: {team: a b}}}}}",
        ["cluster.head.podTemplate.metadata.labels.team is 'a b'"],
    ),
}


def one(values: JsonObject, where: str) -> PodTemplate:
    return next(pod for pod in pods(render(values)) if pod.where == where)


def spec(text: str) -> JsonObject:
    return {"podTemplate": {"spec": yaml.safe_load(text)}}


@pytest.mark.parametrize("name", WRONG)
def test_what_no_pod_may_have_is_refused_by_key_and_reason(name):
    text, fragments = WRONG[name]
    message = refusal(yaml.safe_load(text))
    assert [f for f in fragments if f not in message] == [], message


def test_changes_for_every_pod_reach_every_pod():
    changed = pods(render({"cluster": {"enabled": True}, **spec("schedulerName: volcano")}))
    assert {pod.spec["schedulerName"] for pod in changed} == {"volcano"}
    components = {"job", "cluster", "serving", "submitter", "storage", "test"}
    assert {pod.component for pod in changed} == components


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (("jobs", "head"), "job: head"),
        (("cluster", "head"), "RayCluster demo-cluster: head"),
        (("serving", "head"), "RayService demo: head"),
        (("serving", "pods"), "RayService demo: workers serving"),
    ],
)
def test_changes_of_one_kind_reach_no_other(path, where):
    section, kind = path
    values: JsonObject = {"cluster": {"enabled": True}}
    values[section] = {**values.get(section, {}), kind: spec("runtimeClassName: gvisor")}
    changed = [pod.where for pod in pods(render(values)) if "runtimeClassName" in pod.spec]
    assert changed == [where]


def test_changes_of_a_worker_group_reach_jobs_and_the_interactive_cluster():
    group = {"cpu": spec("runtimeClassName: nvidia")}
    found = pods(render({"cluster": {"enabled": True}, "workers": group}))
    changed = [pod.where for pod in found if "runtimeClassName" in pod.spec]
    assert changed == ["job: workers cpu", "RayCluster demo-cluster: workers cpu"]


def test_without_changes_a_template_is_as_before():
    plain, changed = pods(render()), pods(render(spec("schedulerName: volcano")))
    for pod, other in zip(plain, changed, strict=True):
        assert {**pod.spec, "schedulerName": "volcano"} == other.spec
        assert pod.metadata == other.metadata


def test_main_stands_for_the_own_container_of_each_pod():
    text = "containers: [{name: main, env: [{name: SSL_CERT_FILE, value: /ca.pem}]}]"
    for pod in pods(render(spec(text))):
        assert len(pod.spec["containers"]) == 1
        variables = {entry["name"]: entry for entry in pod.spec["containers"][0]["env"]}
        assert variables["SSL_CERT_FILE"]["value"] == "/ca.pem", pod.where


def test_a_kind_s_own_changes_come_after_those_of_every_pod():
    everyone = spec("{dnsPolicy: Default, nodeSelector: {a: x, b: y}}")
    values = {**everyone, "serving": {"pods": spec("nodeSelector: {b: z}")}}
    pod = one(values, "RayService demo: workers serving")
    assert (pod.spec["dnsPolicy"], pod.spec["nodeSelector"]) == ("Default", {"a": "x", "b": "z"})


def test_members_of_a_list_are_merged_by_the_field_that_names_them():
    everyone = spec(
        "{hostAliases: [{ip: 10.0.0.1, hostnames: [a]}, {ip: 10.0.0.2, hostnames: [b]}],"
        " volumes: [{name: x, emptyDir: {}}]}"
    )
    own = spec(
        "{hostAliases: [{ip: 10.0.0.2, hostnames: [c]}, {ip: 10.0.0.3, hostnames: [d]}],"
        " volumes: [{name: x, secret: {secretName: s}}]}"
    )
    pod = one({**everyone, "jobs": {"head": own}}, "job: head")
    assert [alias["hostnames"][0] for alias in pod.spec["hostAliases"]] == ["a", "c", "d"]
    volumes = {volume["name"]: volume for volume in pod.spec["volumes"]}
    assert volumes["x"] == {"name": "x", "secret": {"secretName": "s"}}
    assert {"tmp", "storage"} <= set(volumes)


def test_kuberay_finds_its_container_first():
    text = "containers: [{name: shipper, image: a:1}]"
    pod = one({"serving": {"pods": spec(text)}}, "RayService demo: workers serving")
    assert [c["name"] for c in pod.spec["containers"]] == ["ray-worker", "shipper"]


def test_an_added_container_passes_pod_security_unless_it_needs_a_writable_root():
    text = (
        "containers: [{name: a, image: a:1}, {name: b, image: b:1,"
        " securityContext: {readOnlyRootFilesystem: false, runAsUser: 1337}}]"
    )
    pod = one({"jobs": {"head": spec(text)}}, "job: head")
    security = {c["name"]: c["securityContext"] for c in pod.spec["containers"]}
    assert security["a"] == security["ray-head"]
    written = {"readOnlyRootFilesystem": False, "runAsUser": 1337}
    assert security["b"] == {**security["ray-head"], **written}


def test_labels_and_annotations_are_added():
    metadata = {"labels": {"team": "x"}, "annotations": {"linkerd.io/inject": "disabled"}}
    for pod in pods(render({"podTemplate": {"metadata": metadata}})):
        assert pod.metadata["labels"]["team"] == "x"
        assert pod.metadata["annotations"]["linkerd.io/inject"] == "disabled"


def test_no_volume_of_the_chart_can_be_replaced():
    """Every volume that a Pod has without changes is refused by name."""
    values = {key: part for key, part in EVERYTHING.items() if key != "podTemplate"}
    names = {volume["name"] for pod in pods(render(values)) for volume in pod.spec["volumes"]}
    for name in sorted(names):
        with pytest.raises(helm_python.HelmError, match=f"'{name}' is a volume of the chart"):
            render(spec(f"volumes: [{{name: {name}, emptyDir: {{}}}}]"))


def test_no_init_container_of_the_chart_can_be_changed():
    names = {c["name"] for pod in pods(render()) for c in pod.spec.get("initContainers", [])}
    assert names
    for name in sorted(names):
        with pytest.raises(helm_python.HelmError, match=f"'{name}' is a container of the chart"):
            render(spec(f"initContainers: [{{name: {name}, image: 'a:1'}}]"))


def test_tolerations_of_the_endpoint_s_pods_make_a_new_cluster():
    """KubeRay overlooks a change of them alone."""
    found = set()
    for key in ("a", "b"):
        values = {"serving": {"pods": spec(f"tolerations: [{{key: {key}, operator: Exists}}]")}}
        pod = one(values, "RayService demo: workers serving")
        found.add(pod.metadata["annotations"]["nmt/pods"])
    assert len(found) == 2
