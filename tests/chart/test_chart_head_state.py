"""The head of the endpoint: where it keeps its state, how it ends, and what guards it otherwise."""

import helm_python
import pytest
import yaml

from nmt.runs import layout
from ray_jobs.serving import head_state
from tests.support.chart.network_policy import selects
from tests.support.chart.rendering import (
    BUCKET,
    EVERYTHING,
    JsonObject,
    cluster_specs,
    kinds,
    render,
)

STATE = "/run/head-state"
CLUSTER = "NMT_RAY_CLUSTER"
REDIS = {"headState": "redis", "headRedis": {"address": "redis.team.svc:6379"}}
RECONNECT = "RAY_gcs_rpc_server_reconnect_timeout_s"


def cluster(values: JsonObject | None = None) -> JsonObject:
    (found,) = kinds(render(values), "RayService").values()
    return found["spec"]["rayClusterConfig"]


def head(values: JsonObject | None = None) -> JsonObject:
    return cluster(values)["headGroupSpec"]["template"]["spec"]


def worker(values: JsonObject | None = None) -> JsonObject:
    (group,) = cluster(values)["workerGroupSpecs"]
    return group["template"]["spec"]


def serving(**keys: object) -> JsonObject:
    return {"serving": keys}


def bucket(**keys: object) -> JsonObject:
    return {**BUCKET, "serving": keys}


def environment(spec: JsonObject) -> dict[str, object]:
    entries = spec["containers"][0]["env"]
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in entries}


def container(spec: JsonObject, name: str) -> JsonObject:
    (found,) = (each for each in spec["initContainers"] if each["name"] == name)
    return found


EMBEDDED = {
    "the default": {},
    "as asked for": serving(headState="embedded"),
    "a bucket and a claim of its own": bucket(headClaim={"create": True}),
    "a bucket and a claim that exists": bucket(headClaim={"name": "fast"}),
}
OTHERWISE = {
    "a bucket": (BUCKET, "none"),
    "as asked for": (serving(headState="none"), "none"),
    "redis": (serving(**REDIS), "redis"),
}


@pytest.mark.parametrize("case", EMBEDDED)
def test_where_a_volume_can_hold_it_the_state_is_in_a_database_of_the_head(case):
    found = environment(head(EMBEDDED[case]))
    assert found["RAY_gcs_storage"] == "rocksdb"
    assert found["RAY_gcs_storage_path"] == STATE
    assert environment(worker(EMBEDDED[case]))[RECONNECT] == "600"


@pytest.mark.parametrize("case", OTHERWISE)
def test_otherwise_no_database_is_opened(case):
    values, _ = OTHERWISE[case]
    assert not {"RAY_gcs_storage", "RAY_gcs_storage_path"} & set(environment(head(values)))
    assert STATE not in str(head(values))


@pytest.mark.parametrize("case", EMBEDDED)
def test_each_ray_cluster_has_a_folder_of_its_own(case):
    """During an upgrade two heads run, and two processes cannot open one database."""
    spec = head(EMBEDDED[case])
    (mount,) = [m for m in spec["containers"][0]["volumeMounts"] if m["mountPath"] == STATE]
    assert mount["subPathExpr"].endswith(f"team.$({CLUSTER})")
    label = {"fieldRef": {"fieldPath": "metadata.labels['ray.io/cluster']"}}
    assert environment(spec)[CLUSTER] == label
    maker = container(spec, "head-state")
    command = ["python", "-m", head_state.__name__, STATE, "team", f"$({CLUSTER})"]
    assert maker["command"] == command
    assert maker["env"] == [{"name": CLUSTER, "valueFrom": label}]


@pytest.mark.parametrize("case", EMBEDDED)
def test_the_folder_is_made_in_the_volume_that_the_head_mounts(case):
    spec = head(EMBEDDED[case])
    (mount,) = [m for m in spec["containers"][0]["volumeMounts"] if m["mountPath"] == STATE]
    (whole,) = [m for m in container(spec, "head-state")["volumeMounts"] if m["mountPath"] == STATE]
    assert mount["name"] == whole["name"]
    own = mount["subPathExpr"].removeprefix(whole.get("subPath", "")).removeprefix("/")
    assert own == f"team.$({CLUSTER})"
    assert mount["name"] in {volume["name"] for volume in spec["volumes"]}


def test_in_the_storage_the_state_is_in_the_folder_of_the_endpoint():
    values = {"config": {"serving": {"name": "shop"}}, "storage": {"mountPath": "/mnt/nmt"}}
    folder = f"runs/{layout.head_states('shop')}"
    spec = head(values)
    assert f"/mnt/nmt/{folder}" in container(spec, "folders")["command"]
    (whole,) = [m for m in container(spec, "head-state")["volumeMounts"] if m["mountPath"] == STATE]
    assert whole["subPath"] == folder


def test_a_pod_that_translates_reaches_no_state_of_the_head():
    assert STATE not in str(worker())
    assert "/head" not in str(worker())


@pytest.mark.parametrize(
    ("claim", "volume", "made"),
    [
        ({"create": True, "size": "2Gi", "storageClass": "ssd"}, "demo-head", True),
        ({"name": "fast"}, "fast", False),
    ],
)
def test_a_claim_of_the_heads_own_is_created_or_used(claim, volume, made):
    values = bucket(headClaim=claim)
    (mounted,) = [v for v in head(values)["volumes"] if v["name"] == "head-state"]
    assert mounted["persistentVolumeClaim"] == {"claimName": volume}
    claims = kinds(render(values), "PersistentVolumeClaim")
    assert set(claims) == ({volume} if made else set())
    for found in claims.values():
        assert found["spec"]["accessModes"] == ["ReadWriteOnce"]
        assert found["spec"]["storageClassName"] == "ssd"
        assert found["spec"]["resources"]["requests"]["storage"] == "2Gi"


def test_a_new_head_prefers_the_node_on_which_the_volume_is_mounted():
    term = {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}
    own = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    values = bucket(headClaim={"create": True}, head={"affinity": {"nodeAffinity": own}})
    affinity = head(values)["affinity"]
    assert affinity["nodeAffinity"] == own
    (preferred,) = affinity["podAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    labels = {
        "app.kubernetes.io/instance": "demo",
        "app.kubernetes.io/part-of": "nmt",
        "app.kubernetes.io/component": "serving",
        "ray.io/node-type": "head",
    }
    assert preferred["podAffinityTerm"] == {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": labels},
    }


@pytest.mark.parametrize(
    "values", [{}, bucket(headClaim={"create": True, "accessMode": "ReadWriteMany"})]
)
def test_with_a_shared_volume_a_head_may_run_anywhere(values):
    assert "affinity" not in head(values)


def test_redis_is_kuberays_to_set_up():
    options = cluster(serving(**REDIS))["gcsFaultToleranceOptions"]
    assert options == {"redisAddress": "redis.team.svc:6379"}
    assert environment(worker(serving(**REDIS)))[RECONNECT] == "600"


def test_the_password_of_redis_comes_from_a_secret():
    redis = {"address": "redis.team.svc:6379", "secretName": "redis"}
    options = cluster(serving(headState="redis", headRedis=redis))["gcsFaultToleranceOptions"]
    password = {"secretKeyRef": {"name": "redis", "key": "password"}}
    username = {"secretKeyRef": {"name": "redis", "key": "username", "optional": True}}
    assert options["redisPassword"] == {"valueFrom": password}
    assert options["redisUsername"] == {"valueFrom": username}


def test_the_head_and_kuberays_clean_up_may_reach_redis():
    policy = kinds(render(serving(**REDIS)), "NetworkPolicy")["demo-head-redis"]["spec"]
    labels = {
        "app.kubernetes.io/instance": "demo",
        "app.kubernetes.io/part-of": "nmt",
        "app.kubernetes.io/component": "serving",
    }
    taken = {
        node
        for node in ("head", "worker", "redis-cleanup")
        if selects(policy["podSelector"], {**labels, "ray.io/node-type": node})
    }
    assert taken == {"head", "redis-cleanup"}
    assert policy["egress"] == [{"ports": [{"port": 6379, "protocol": "TCP"}]}]
    assert policy["policyTypes"] == ["Egress"]


@pytest.mark.parametrize("values", [{}, BUCKET])
def test_without_redis_no_policy_opens_its_port(values):
    assert "demo-head-redis" not in kinds(render(values), "NetworkPolicy")


@pytest.mark.parametrize("values", [*EMBEDDED.values(), serving(**REDIS)])
def test_a_head_that_keeps_its_state_makes_way_at_once(values):
    """Ray waits until it is killed, and no client uses a head."""
    assert head(values)["terminationGracePeriodSeconds"] == 5
    assert "lifecycle" not in head(values)["containers"][0]


@pytest.mark.parametrize("values", [BUCKET, serving(headState="none")])
def test_without_a_state_the_head_is_guarded_and_pods_wait_for_it_as_ray_does(values):
    budget = kinds(render(values), "PodDisruptionBudget")["demo-serving-head"]["spec"]
    assert budget["minAvailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    selected = budget["selector"]["matchLabels"]
    assert selected["ray.io/node-type"] == "head"
    assert selected["app.kubernetes.io/component"] == "serving"
    assert RECONNECT not in environment(worker(values))
    assert "lifecycle" in head(values)["containers"][0]


@pytest.mark.parametrize(
    "values",
    [*EMBEDDED.values(), serving(**REDIS), {**BUCKET, "disruptionBudget": False}],
)
def test_a_head_that_can_be_replaced_blocks_no_drain(values):
    assert "demo-serving-head" not in kinds(render(values), "PodDisruptionBudget")


def test_heads_of_jobs_keep_no_state():
    for where, spec in cluster_specs(render(EVERYTHING)).items():
        if not where.startswith("RayService"):
            assert "head-state" not in str(spec), where
            assert "RAY_gcs" not in str(spec), where


REFUSED = {
    "a database in a bucket": (
        bucket(headState="embedded"),
        ["serving.headState is 'embedded'", "serving.headClaim.create=true"],
    ),
    "a claim that is created and exists": (
        serving(headClaim={"create": True, "name": "fast"}),
        ["serving.headClaim.name is 'fast'", "serving.headClaim.create=false"],
    ),
    "a claim for nothing": (
        serving(headState="none", headClaim={"create": True}),
        ["serving.headClaim is set", "'none'", "serving.headState=embedded"],
    ),
    "an old Ray": (
        {"ray": {"version": "2.56.1"}},
        ["ray.version is '2.56.1'", "needs 2.57.0", "serving.headState=none"],
    ),
    "redis without an address": (
        serving(headState="redis"),
        ["serving.headRedis.address is empty", "redis.team.svc:6379"],
    ),
    "an address without a port": (
        serving(headState="redis", headRedis={"address": "redis.team.svc"}),
        ["serving.headRedis.address is 'redis.team.svc'", "a host and a port"],
    ),
    "an address for nothing": (
        serving(headRedis={"address": "redis.team.svc:6379"}),
        ["serving.headRedis is set", "'auto'", "serving.headState=redis"],
    ),
    "variables of the state": (
        {"env": {"RAY_gcs_storage": "memory"}},
        ["env.RAY_gcs_storage is set", "set serving.headState"],
    ),
    "variables of redis": (
        {"env": {"RAY_REDIS_ADDRESS": "x:1"}},
        ["env.RAY_REDIS_ADDRESS is set", "set serving.headRedis"],
    ),
    "no such state": (serving(headState="disk"), ["/serving/headState"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_state_that_cannot_be_kept_is_refused(case):
    values, said = REFUSED[case]
    with pytest.raises((helm_python.HelmValuesError, helm_python.HelmRenderError)) as refused:
        render(values)
    for words in said:
        assert words in str(refused.value)


def test_a_password_in_the_address_of_redis_is_refused_and_not_shown():
    redis = {"address": "redis://:secret@redis.team.svc:6379"}
    with pytest.raises(helm_python.HelmRenderError) as refused:
        render(serving(headState="redis", headRedis=redis))
    assert "serving.headRedis.address holds a password" in str(refused.value)
    assert "secret@" not in str(refused.value)


@pytest.mark.parametrize("state", ["none", "redis"])
def test_an_older_ray_is_enough_for_other_states(state):
    values = serving(**(REDIS if state == "redis" else {"headState": state}))
    assert cluster({**values, "ray": {"version": "2.56.1"}})["rayVersion"] == "2.56.1"


def test_pods_are_spread_over_nodes_and_zones_in_each_cluster_by_itself():
    constraints = worker()["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in constraints] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    for each in constraints:
        # With one node, or none free elsewhere, the Pods run all the same.
        assert each["whenUnsatisfiable"] == "ScheduleAnyway"
        assert each["matchLabelKeys"] == ["ray.io/cluster"]
        assert each["labelSelector"]["matchLabels"]["ray.io/node-type"] == "worker"


def test_pods_need_not_be_spread():
    assert "topologySpreadConstraints" not in worker(serving(pods={"spreadOver": []}))


def test_only_pods_that_translate_are_spread():
    text = yaml.safe_dump(list(cluster_specs(render(EVERYTHING)).values()))
    assert text.count("topologySpreadConstraints") == 1
