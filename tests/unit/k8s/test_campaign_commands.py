"""`nmt-k8s` on campaigns: status, promote, rollback, and the doctor's look at the operator."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from k8s.api.cluster import CAMPAIGN, LEASE, JsonObject
from k8s.cli.main import main
from k8s.cli.output import Clock
from nmt.errors import ClusterError
from tests.support.k8s.fake_cluster import FakeCluster
from tests.unit.k8s.conftest import install

NAME = "clinic"
OPERATOR = "demo-operator"
PODS = {"app.kubernetes.io/instance": "demo", "app.kubernetes.io/component": "operator"}
READY = {"type": "Ready", "status": "True"}


@pytest.fixture
def cluster() -> FakeCluster:
    """A cluster with one release, whose operator is on."""
    cluster = FakeCluster()
    install(cluster, operator=OPERATOR)
    return cluster


def add(cluster: FakeCluster, name: str = NAME, release: str = "demo", **status: Any) -> None:
    """Add a campaign, which has made its second run."""
    revision = {
        "number": 2,
        "trigger": "data",
        "inputs": "a",
        "run": f"{name}-r2",
        "startTime": "2026-01-01T00:00:00Z",
    }
    reported = {"phase": "Undecided", "message": "waits for people", "revision": revision}
    metadata = {"name": name, "namespace": "team", "creationTimestamp": "2026-01-01T00:00:00Z"}
    cluster.add(
        CAMPAIGN,
        name,
        apiVersion=CAMPAIGN.api_version,
        metadata=metadata,
        spec={"release": release},
        status=reported | status,
    )


def action(cluster: FakeCluster, name: str = NAME) -> JsonObject:
    return cluster.objects[CAMPAIGN.name, name]["spec"].get("action", {})


def traffic(owner: str | None) -> list[str]:
    """Return what `nmt-k8s traffic -o json` prints in a Pod."""
    route = {"stable": "a" * 12} | ({"owner": owner} if owner else {})
    key = "eng_Latn-tam_Taml"
    return json.dumps({"name": "default", "default": key, "routes": {key: route}}).splitlines()


def test_status_lists_the_campaigns_of_the_release(nmt_k8s, cluster, capsys) -> None:
    add(cluster, serves="1b96f83dbca5", progress={"step": "train", "percent": 42.3})
    add(cluster, "theirs", "other")
    assert nmt_k8s("status") == 0
    shown = capsys.readouterr().out
    row = next(line for line in shown.splitlines() if line.startswith(NAME))
    assert row.split()[:6] == [NAME, "Undecided", "clinic-r2", "42", "%", "1b96f83dbca5"]
    assert "clinic: waits for people" in shown
    assert "theirs" not in shown


def test_status_of_a_cluster_without_the_kind_shows_no_campaigns(nmt_k8s, cluster, capsys) -> None:
    cluster.unknown = {CAMPAIGN.name}
    assert nmt_k8s("status", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out)["campaigns"] == []


def test_promoting_the_run_of_a_campaign_asks_the_campaign(nmt_k8s, cluster, capsys) -> None:
    add(cluster)
    assert nmt_k8s("promote", "run=clinic-r2", "--force", "people prefer it") == 0
    told = action(cluster)
    assert (told["do"], told["reason"]) == ("promote", "people prefer it")
    assert told["id"] in capsys.readouterr().out


def test_each_command_is_an_action_of_its_own(nmt_k8s, cluster) -> None:
    add(cluster)
    nmt_k8s("promote", "run=clinic-r2")
    first = action(cluster)["id"]
    nmt_k8s("promote", "run=clinic-r2")
    assert action(cluster)["id"] != first


def test_a_dry_run_prints_the_change_and_makes_none(nmt_k8s, cluster, capsys) -> None:
    add(cluster)
    assert nmt_k8s("promote", "run=clinic-r2", "--dry-run") == 0
    assert "do: promote" in capsys.readouterr().out
    assert action(cluster) == {}


def test_an_earlier_run_of_a_campaign_is_not_promoted(nmt_k8s, cluster, capsys) -> None:
    add(cluster)
    assert nmt_k8s("promote", "run=clinic-r1") == 2
    assert "which is at run 'clinic-r2', and promotes no other" in capsys.readouterr().err
    assert action(cluster) == {}


@pytest.mark.parametrize(
    ("option", "setting"),
    [("--canary=5", "rollout"), ("--shadow", "rollout"), ("--domain=x", "gate.domain")],
)
def test_what_the_campaign_decides_is_not_an_option(
    nmt_k8s, cluster, capsys, option: str, setting: str
) -> None:
    add(cluster)
    assert nmt_k8s("promote", "run=clinic-r2", option) == 2
    said = capsys.readouterr().err
    assert f"leave out {option.partition('=')[0]}, and set spec.config.{setting}" in said


def test_without_an_operator_nothing_is_asked(nmt_k8s, cluster, capsys) -> None:
    install(cluster, operator="")
    add(cluster)
    assert nmt_k8s("promote", "run=clinic-r2") == 2
    assert "set operator.enabled=true" in capsys.readouterr().err


def test_a_rollback_of_the_route_of_a_campaign_asks_the_campaign(
    nmt_k8s, cluster, storage_pod
) -> None:
    add(cluster)
    storage_pod(0, *traffic(f"campaign/{NAME}"))
    assert nmt_k8s("rollback") == 0
    told = action(cluster)
    assert (told["do"], told["reason"]) == ("rollback", "nmt-k8s rollback")


def test_a_rollback_of_a_route_that_nobody_owns_is_done_as_ever(
    nmt_k8s, cluster, storage_pod, capsys
) -> None:
    add(cluster)
    storage_pod(0, *traffic(None))
    assert nmt_k8s("rollback") == 0
    assert action(cluster) == {}
    assert "a" * 12 in capsys.readouterr().out


def test_a_run_that_only_looks_like_one_of_a_campaign_is_promoted_as_ever(
    nmt_k8s, cluster, storage_pod
) -> None:
    add(cluster)
    storage_pod(0, "done")
    assert nmt_k8s("promote", "run=other-r2") == 0
    assert action(cluster) == {}


@pytest.fixture
def operator(nmt_k8s, clock, capsys) -> Callable[[], tuple[str, str]]:
    """Return what `doctor` finds of the operator: state, and text with advice."""

    def look() -> tuple[str, str]:
        nmt_k8s("doctor", "--quick", "-o", "json")
        found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
        entry = found.get("operator", {"state": "", "text": "", "remedy": ""})
        return entry["state"], entry["text"] + entry["remedy"]

    return look


def add_pods(cluster: FakeCluster, ready: int, others: int = 0) -> None:
    for number in range(ready + others):
        conditions = [READY] if number < ready else []
        cluster.pod(f"{OPERATOR}-{number}", PODS, phase="Running", conditions=conditions)


def add_lease(cluster: FakeCluster, holder: str, renewed: str) -> None:
    spec = {"holderIdentity": holder, "renewTime": renewed}
    cluster.add(LEASE, OPERATOR, metadata={"name": OPERATOR}, spec=spec)


def stamp(clock: Clock, ago: float) -> str:
    return datetime.fromtimestamp(clock.now() - ago, UTC).isoformat()


def test_an_operator_that_works_is_healthy(operator, cluster, clock) -> None:
    add_pods(cluster, 2)
    add_lease(cluster, f"{OPERATOR}-1_ab12", stamp(clock, 2))
    assert operator() == ("ok", f"{OPERATOR}: 2 of 2 Pods ready, {OPERATOR}-1 works")


def test_an_operator_without_a_ready_pod_is_bad(operator, cluster) -> None:
    add_pods(cluster, 0, 2)
    state, text = operator()
    assert state == "bad"
    assert "0 of 2 Pods ready" in text
    assert "kubectl describe deployment" in text


def test_a_lease_that_nobody_renews_is_bad(operator, cluster, clock) -> None:
    add_pods(cluster, 1)
    add_lease(cluster, f"{OPERATOR}-1_ab12", stamp(clock, 600))
    state, text = operator()
    assert (state, "was renewed 10 min ago" in text) == ("bad", True), text


def test_a_lease_that_nobody_holds_is_bad(operator, cluster) -> None:
    add_pods(cluster, 1)
    assert operator()[0] == "bad"


def test_a_cluster_that_does_not_know_campaigns_is_bad(operator, cluster) -> None:
    add_pods(cluster, 1)
    cluster.unknown = {CAMPAIGN.name}
    state, text = operator()
    assert state == "bad"
    assert "crds.install=true" in text


def test_a_release_without_an_operator_is_not_told_about_one(operator, cluster) -> None:
    install(cluster, operator="")
    assert operator() == ("", "")


def test_who_may_not_read_the_lease_learns_of_the_pods(cluster, clock, monkeypatch, capsys) -> None:
    get = cluster.get

    def refuse(kind: Any, name: str) -> JsonObject | None:
        if kind == LEASE:
            raise ClusterError("forbidden")
        return get(kind, name)

    monkeypatch.setattr(cluster, "get", refuse)
    add_pods(cluster, 1)
    main(["doctor", "--quick", "-o", "json"], lambda context, namespace: cluster, clock)
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert found["operator"]["state"] == "ok"
    assert "you may not read its Lease" in found["operator"]["text"]
