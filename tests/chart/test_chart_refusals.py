"""Values that cannot work are refused before anything is installed, by key and value."""

import pytest
import yaml

from tests.support.chart.rendering import refusal, render

WRONG: dict[str, tuple[str, list[str]]] = {
    # What the schema refuses
    "unknown key": ("serving: {replicas: 2}", ["/serving", "'replicas' not allowed"]),
    "unknown top key": ("replicaCount: 2", ["'replicaCount' not allowed"]),
    "renamed key": ("operatorImage: {tag: x}", ["/operatorImage", "'renamed to toolsImage'"]),
    "unknown setting": (
        "config: {training: {learning_rat: 1}}",
        ["/config/training", "'learning_rat' not allowed"],
    ),
    "text for a number": (
        "workers: {cpu: {cpus: four}}",
        ["/workers/cpu/cpus", "got string, want integer"],
    ),
    "number for text": (
        "workers: {cpu: {memory: 4}}",
        ["/workers/cpu/memory", "got number, want string"],
    ),
    "number in the environment": ("env: {A: 1}", ["/env/A", "got number, want string"]),
    "fraction of a CPU": (
        "workers: {cpu: {cpus: 0.5}}",
        ["/workers/cpu/cpus", "got number, want integer"],
    ),
    "bad quantity": ("workers: {cpu: {memory: 4GB}}", ["/workers/cpu/memory", "'4GB'"]),
    "bad bucket": ("storage: {object: {url: 'http://x'}}", ["/storage/object/url", "'http://x'"]),
    "slash at the end of the mount": (
        "{storage: {mountPath: /storage/}, config: {storage: /storage/x}}",
        ["/storage/mountPath", "'/storage/'"],
    ),
    "no ports of the API server": (
        "networkPolicies: {apiServerPorts: []}",
        ["/networkPolicies/apiServerPorts", "got 0, want 1"],
    ),
    "no ports to the outside": (
        "networkPolicies: {outsidePorts: []}",
        ["/networkPolicies/outsidePorts", "got 0, want 1"],
    ),
    "nothing left outside": (
        "networkPolicies: {outsideExcept: [0.0.0.0/0]}",
        ["/networkPolicies/outsideExcept/0", "0.0.0.0/0"],
    ),
    "extra egress to anything": (
        "networkPolicies: {extraEgress: [{components: [job], to: [], ports: [80]}]}",
        ["/networkPolicies/extraEgress/0/to", "got 0, want 1"],
    ),
    "extra egress of nobody": (
        "networkPolicies: {extraEgress: [{to: [{podSelector: {}}], ports: [80]}]}",
        ["/networkPolicies/extraEgress/0", "'components'"],
    ),
    "no ports of DNS": (
        "networkPolicies: {dns: {ports: []}}",
        ["/networkPolicies/dns/ports", "got 0, want 1"],
    ),
    "no servers of DNS": (
        "networkPolicies: {dns: {peers: []}}",
        ["/networkPolicies/dns/peers", "got 0, want 1"],
    ),
    "nobody monitors": (
        "{monitoring: {podMonitors: true}, networkPolicies: {monitoring: []}}",
        ["/networkPolicies/monitoring", "got 0, want 1"],
    ),
    "no port": (
        "networkPolicies: {outsidePorts: [70000]}",
        ["/networkPolicies/outsidePorts/0", "70,000"],
    ),
    "bad storage type": ("storage: {type: nfs}", ["/storage/type", "'claim', 'object'"]),
    "bad access mode": (
        "storage: {claim: {accessMode: ReadOnlyMany}}",
        ["/storage/claim/accessMode", "'ReadWriteMany', 'ReadWriteOnce'"],
    ),
    "bad group name": ("workers: {GPU: {}}", ["/workers", "'GPU' not allowed"]),
    "bad digest": ("image: {digest: sha256:12}", ["/image/digest", "sha256:12"]),
    "no retries below zero": ("jobs: {retries: -1}", ["/jobs/retries", "got -1, want 0"]),
    "negative GPUs": ("workers: {cpu: {gpus: -1}}", ["/workers/cpu/gpus", "got -1, want 0"]),
    "bad setting": (
        "config: {training: {schedule: step}}",
        ["/config/training/schedule", "'cosine'"],
    ),
    "setting of another adapter": (
        "config: {adapter: {type: none, rank: 8}}",
        ["/config/adapter", "'rank' not allowed"],
    ),
    "text in an adapter": (
        "config: {adapter: {rank: big}}",
        ["/config/adapter/rank", "got string, want integer"],
    ),
    "unknown adapter": ("config: {adapter: {type: dora}}", ["/config/adapter/type", "'qlora'"]),
    # What the checks refuse
    "unknown group for jobs": (
        "jobs: {workers: gpu}",
        ["jobs.workers is 'gpu', which is not among workers (cpu)", "workers.gpu"],
    ),
    "unknown group for the cluster": (
        "cluster: {workers: [cpu, gpu]}",
        ["cluster.workers names 'gpu'", "(cpu)"],
    ),
    "cluster without workers": (
        "cluster: {enabled: true, workers: []}",
        ["cluster.workers is empty"],
    ),
    "group named twice": ("cluster: {workers: [cpu, cpu]}", ["a group twice (cpu, cpu)"]),
    "group called head": ("workers: {head: {}}", ["workers.head"]),
    "bounds of a group": ("workers: {cpu: {min: 5, max: 2}}", ["workers.cpu.min (5)", "max (2)"]),
    "bounds of the endpoint": (
        "serving: {pods: {min: 5, max: 2}}",
        ["serving.pods.min (5)", "serving.pods.max (2)"],
    ),
    "bucket without address": ("storage: {type: object}", ["storage.object.url is empty"]),
    "bucket that is not used": (
        "storage: {object: {url: 's3://b/p'}}",
        ["'s3://b/p'", "storage.type=object"],
    ),
    "claim without name": ("storage: {claim: {create: false}}", ["storage.claim.name is empty"]),
    "mounted over the container": (
        "storage: {mountPath: /tmp/x}",
        ["storage.mountPath is '/tmp/x'"],
    ),
    "mounted over the programs": ("storage: {mountPath: /opt}", ["storage.mountPath is '/opt'"]),
    "mounted over tokens": (
        "storage: {mountPath: /var/run/nmt}",
        ["storage.mountPath is '/var/run/nmt'"],
    ),
    "token with an old Ray": ("ray: {version: 2.51.1}", ["ray.version is '2.51.1'", "2.52.0"]),
    "range of IPv6 without the proxy": (
        "env: {HTTPS_PROXY: 'http://proxy:3128', no_proxy: 'a.example,fd01::/48'}",
        ["env.no_proxy holds a range of IPv6 addresses", "httpx"],
    ),
    "range of IPv6 in noProxy": ("noProxy: ['fc00::/7']", ["/noProxy/0", "'fc00::/7'"]),
    "environment of the chart": ("env: {NMT_STORAGE: /x}", ["env.NMT_STORAGE", "leave it out"]),
    "environment of a group": (
        "workers: {cpu: {env: {HF_HOME: /x}}}",
        ["workers.cpu.env.HF_HOME", "leave it out"],
    ),
    "engines larger than a Pod": (
        "config: {serving: {max_engine_gib: 2.5}}",
        ["config.serving.max_engine_gib is 2.5", "holds 4 replicas in 8Gi"],
    ),
    "proxy as a variable": (
        "env: {RAY_SERVE_ENABLE_HA_PROXY: '0'}",
        ["env.RAY_SERVE_ENABLE_HA_PROXY", "set serving.haproxy"],
    ),
    "less time to drain": (
        "env: {RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S: '5'}",
        ["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S", "set serving.drainSeconds"],
    ),
    "longer drain of a proxy": (
        "env: {RAY_SERVE_PROXY_MIN_DRAINING_PERIOD_S: '90'}",
        ["RAY_SERVE_PROXY_MIN_DRAINING_PERIOD_S", "config.serving.request_timeout_seconds"],
    ),
    "a variable of the endpoint": (
        "env: {RAY_SERVE_HAPROXY_RETRIES: '9'}",
        ["env.RAY_SERVE_HAPROXY_RETRIES", "in the Pods of the endpoint: leave it out"],
    ),
    "keys of a bucket for a claim": (
        "serving: {storageSecretName: keys}",
        ["serving.storageSecretName is 'keys'", "storage.type=object"],
    ),
    "settings above the volume": (
        "config: {storage: ../runs}",
        ["config.storage is '../runs'", "has '..'"],
    ),
    "Redis": ("env: {RAY_REDIS_ADDRESS: 'redis:6379'}", ["env.RAY_REDIS_ADDRESS", "KubeRay"]),
    "no variable": ("env: {a-b: x}", ["'a-b'", "not a name of an environment variable"]),
    "settings outside the volume": (
        "config: {storage: /data/runs}",
        ["config.storage is '/data/runs'", "lost with the Pod", "/storage"],
    ),
    "settings in the home folder": ("config: {storage: ~/runs}", ["config.storage is '~/runs'"]),
    "settings beside the volume": (
        "config: {storage: /storage2}",
        ["config.storage is '/storage2'"],
    ),
    "folder beside a bucket": (
        "{storage: {type: object, object: {url: 's3://b/p'}}, config: {storage: /data}}",
        ["config.storage is '/data'", "s3://b/p"],
    ),
    "bucket as a setting": (
        "config: {storage: 's3://b/p'}",
        ["config.storage is 's3://b/p'", "storage.object.url=s3://b/p"],
    ),
    "GPUs on a group without": (
        "config: {scaling: {gpus_per_worker: 1}}",
        ["gpus_per_worker is 1", "workers.cpu have 0 GPUs", "jobs.workers"],
    ),
    "worker larger than a Pod": (
        "config: {scaling: {cpus_per_worker: 8}}",
        ["cpus_per_worker is 8", "workers.cpu have 4 CPUs"],
    ),
    "replica larger than a Pod": (
        "config: {serving: {cpus_per_replica: 6}}",
        ["cpus_per_replica is 6", "serving.pods has 4 CPUs"],
    ),
    "replica with a GPU": (
        "config: {serving: {gpus_per_replica: 1}}",
        ["gpus_per_replica is 1", "serving.pods has 0 GPUs"],
    ),
    "more replicas than room": (
        "{config: {serving: {max_replicas: 9, cpus_per_replica: 2}}}",
        ["max_replicas is 9", "serving.pods.max (4) Pods hold 8 replicas"],
    ),
    "more replicas than GPUs": (
        "{serving: {pods: {gpus: 1, max: 2}},"
        " config: {serving: {max_replicas: 3, gpus_per_replica: 1}}}",
        ["max_replicas is 3", "hold 2 replicas"],
    ),
    "request above the limit": (
        "workers: {cpu: {memory: 4Gi, memoryRequest: 8000Mi}}",
        ["workers.cpu.memoryRequest (8000Mi)", "workers.cpu.memory (4Gi)"],
    ),
    "disk below what is requested": (
        "jobs: {head: {disk: 1Gi, diskRequest: 1025Mi}}",
        ["jobs.head.diskRequest (1025Mi)", "jobs.head.disk (1Gi)"],
    ),
    "no disk for logs": ("serving: {pods: {disk: 100Mi}}", ["serving.pods.disk is '100Mi'"]),
    "disk as an extra resource": (
        "workers: {cpu: {extraResources: {ephemeral-storage: 1Gi}}}",
        ["'ephemeral-storage'", "set workers.cpu.disk instead"],
    ),
    "root as the user": ("podSecurity: {runAsUser: 0}", ["/podSecurity/runAsUser", "got 0"]),
    "forgotten unit": ("jobs: {head: {memory: '4'}}", ["jobs.head.memory is '4'", "4Gi"]),
    "GPUs twice": (
        "workers: {cpu: {extraResources: {nvidia.com/gpu: '1'}}}",
        ["'nvidia.com/gpu'", "workers.cpu.gpus"],
    ),
    "memory as a further resource": (
        "workers: {cpu: {extraResources: {memory: 1Gi}}}",
        ["'memory'", "workers.cpu.memory"],
    ),
    "a resource without its domain": (
        "workers: {cpu: {gpuResource: gpu}}",
        ["workers.cpu.gpuResource has 'gpu'", "like nvidia.com/gpu"],
    ),
    "the endpoint's resource without its domain": (
        "serving: {pods: {gpus: 1, gpuResource: nvidia.com/}}",
        ["serving.pods.gpuResource has 'nvidia.com/'", "like nvidia.com/gpu"],
    ),
    "a further resource with a blank": (
        "workers: {cpu: {extraResources: {'rdma/h ca': '1'}}}",
        ["workers.cpu.extraResources has 'rdma/h ca'"],
    ),
    "half a device": (
        "workers: {cpu: {extraResources: {rdma/hca: '0.5'}}}",
        ["workers.cpu.extraResources has 'rdma/hca: 0.5'", "not a whole number"],
    ),
    "an amount that is not one": (
        "workers: {cpu: {extraResources: {hugepages-2Mi: many}}}",
        ["'hugepages-2Mi: many'", "not a whole number"],
    ),
    "the operator's request above its limit": (
        "operator: {memory: 64Mi}",
        ["operator.memoryRequest (128Mi)", "operator.memory (64Mi)"],
    ),
    "waiting longer than the job": (
        "jobs: {pendingSeconds: 600, deadlineSeconds: 600}",
        ["jobs.pendingSeconds (600)", "jobs.deadlineSeconds (600)"],
    ),
    "a job's time that KubeRay cannot read": (
        "jobs: {deadlineSeconds: 2147483647}",
        ["/jobs/deadlineSeconds", "maximum: got"],
    ),
    "a Pod kept longer than KubeRay can read": (
        "jobs: {keepSeconds: 3000000000}",
        ["/jobs/keepSeconds", "maximum: got"],
    ),
    "more Pods than KubeRay can read": (
        "workers: {cpu: {max: 3000000000}}",
        ["/workers/cpu/max", "maximum: got"],
    ),
    "label of the chart": (
        "podLabels: {app.kubernetes.io/component: x}",
        ["podLabels", "'app.kubernetes.io/component'"],
    ),
    "tag in the repository": ("image: {repository: 'nmt-ray:1'}", ["'nmt-ray:1'", "image.tag"]),
    "override of the name": (
        "nameOverride: 1.nmt",
        ["nameOverride '1.nmt'", "begin with a letter"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_values_are_refused_by_key_and_value(name):
    text, fragments = WRONG[name]
    message = refusal(yaml.safe_load(text))
    assert [f for f in fragments if f not in message] == [], message


@pytest.mark.parametrize("kind", ["claim", "object"])
@pytest.mark.parametrize(
    ("key", "address"),
    [
        ("storage.object.url", "s3://KEY:SECRET@bucket/nmt"),
        ("storage.object.url", "s3://KEY:SEC/RET@bucket"),
        ("config.storage", "s3://KEY:SECRET@bucket/nmt"),
    ],
)
def test_keys_in_the_url_of_a_bucket_are_refused_and_not_shown(kind, key, address):
    places = {"storage.object.url": "s3://bucket/nmt", "config.storage": "runs", key: address}
    storage = {"type": kind, "object": {"url": places["storage.object.url"]}}
    message = refusal({"storage": storage, "config": {"storage": places["config.storage"]}})
    assert f"{key} holds keys before the bucket" in message
    assert "storage.object.secretName" in message
    assert not [part for part in ("KEY:", "SEC", "RET") if part in message]


@pytest.mark.parametrize("prefix", ["nmt/@team", "nmt:1", "a/b"])
def test_special_characters_after_the_bucket_are_allowed(prefix):
    assert render({"storage": {"type": "object", "object": {"url": f"s3://bucket/{prefix}"}}})


@pytest.mark.parametrize("folder", ["/opt/data", "/storage", "/mnt/nmt", "/var/nmt"])
def test_the_storage_can_be_mounted_at_another_folder(folder):
    assert render({"storage": {"mountPath": folder}})


@pytest.mark.parametrize("name", ["n" * 37, "1st"])
def test_a_release_name_that_ray_cannot_use_is_refused(name):
    message = refusal({}, name=name)
    assert name in message
    assert "nameOverride" in message


def test_a_long_release_name_can_be_overridden():
    assert render({"nameOverride": "nmt"}, name="n" * 50)


def test_a_folder_below_the_volume_is_accepted():
    assert render({"config": {"storage": "/storage/team"}})


def test_a_registry_with_a_port_is_accepted():
    assert render({"image": {"repository": "registry.example.com:5000/nmt-ray"}})


def test_without_the_endpoint_its_resources_are_not_checked():
    assert render({"serving": {"enabled": False}, "config": {"serving": {"max_replicas": 99}}})
