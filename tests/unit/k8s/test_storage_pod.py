"""Commands on a storage root that only a Pod beside it can reach."""

import json

import pytest

from k8s.api.cluster import BATCH_JOB, EVENT, POD
from k8s.cli.options import parse
from k8s.cli.storage_commands import StorageCommand
from nmt.cli.traffic_options import PromotionOptions, promotion_options
from tests.unit.k8s.conftest import install

PAIR = "eng_Latn-tam_Taml"


def test_a_pod_runs_the_command_if_the_root_is_out_of_reach(nmt_k8s, storage_pod, cluster, capsys):
    storage_pod(0, "endpoint 'default' serves engine x")
    assert nmt_k8s("promote", "run=night") == 0
    assert capsys.readouterr().out == "endpoint 'default' serves engine x\n"
    assert cluster.names(BATCH_JOB) == []


def test_the_pods_command_is_the_same_with_the_root_of_the_release(nmt_k8s, cluster, capsys):
    install(cluster, config={"serving": {"name": "tamil"}, "storage": "team"})
    assert nmt_k8s("promote", "run=night", "--dry-run", "-o", "json") == 0
    [job] = json.loads(capsys.readouterr().out)["items"]
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["promote", "serving.name=tamil", "run=night", "--output", "json",
                                 "--storage", "/storage/team"]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            StorageCommand("promote", promotion=PromotionOptions(canary=10, domain="medical")),
            ["--canary=10", "--domain=medical"],
        ),
        (
            StorageCommand("promote", promotion=PromotionOptions(shadow=True, shadow_percent=7.5)),
            ["--shadow", "--shadow-percent=7.5"],
        ),
        (StorageCommand("rollback", route=PAIR), [f"--route={PAIR}"]),
        (StorageCommand("traffic", remove=PAIR), [f"--remove={PAIR}"]),
    ],
)
def test_every_option_is_passed_on_to_a_pod(command, words):
    passed = command.arguments("/storage", "text")
    assert passed == [command.name, "serving.name=default", *words, *passed[-4:]]
    options = parse(passed)
    if command.name == "promote":
        assert promotion_options(options) == command.promotion


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--canary", "101"), "--canary 101"),
        (("--domain", "A b"), "--domain 'A b'"),
        (("--shadow", "--force", " "), "--force needs a reason"),
    ],
)
def test_an_option_that_is_not_valid_starts_no_pod(nmt_k8s, cluster, capsys, words, said):
    assert nmt_k8s("promote", "run=night", *words) == 2
    assert said in capsys.readouterr().err
    assert cluster.names(BATCH_JOB) == []


def test_the_error_and_exit_code_of_the_pod_are_passed_on(nmt_k8s, storage_pod, capsys):
    storage_pod(2, "nmt-k8s: no engine", phase="Failed")
    assert nmt_k8s("rollback") == 2
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "nmt-k8s: no engine\n")


def test_a_pod_that_cannot_be_pulled_ends_with_3_and_leaves_nothing(
    nmt_k8s, cluster, storage_pod, capsys
):
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "x: not found"}}
    container = {"name": "main", "image": "registry.example/nmt-tools:1", "state": waiting}
    storage_pod(0, phase="Pending", containerStatuses=[container])
    assert nmt_k8s("traffic") == 3
    assert "nmt-tools:1 cannot be pulled" in capsys.readouterr().err
    assert cluster.names(BATCH_JOB) == []


def test_a_user_who_may_not_read_events_and_claims_can_still_reach_the_root(
    nmt_k8s, cluster, storage_pod, clock, capsys
):
    storage_pod(0, "done", phase="Pending")

    def start() -> None:
        [pod] = cluster.names(POD)
        cluster.objects["Pod", pod]["status"]["phase"] = "Succeeded"

    clock.after(20, start)
    cluster.denied = {("list", "events"), ("get", "persistentvolumeclaims")}
    assert nmt_k8s("traffic") == 0
    assert capsys.readouterr().out == "done\n"


def test_only_warnings_are_read_and_at_most_every_6_seconds(nmt_k8s, cluster, storage_pod):
    storage_pod(0, phase="Pending")
    assert nmt_k8s("traffic") == 3
    looks = [fields for kind, fields in cluster.selected if kind is EVENT]
    assert set(looks) == {"type=Warning"}
    assert len(looks) <= 240 / 6 + 1


def test_keys_in_the_storage_url_are_refused_before_a_pod_starts(nmt_k8s, cluster, capsys):
    assert nmt_k8s("traffic", "storage=s3://KEY:HUSH@bucket") == 2
    assert "HUSH" not in capsys.readouterr().err
    assert cluster.names(BATCH_JOB) == []


def test_the_log_of_a_job_whose_pods_are_gone_comes_from_the_root(
    nmt_k8s, cluster, storage_pod, capsys
):
    storage_pod(0, "step 1")
    assert nmt_k8s("logs", "night-train-1") == 0
    assert capsys.readouterr().out == "step 1\n"
    assert cluster.names(POD) != []


def test_a_bucket_that_only_pods_can_reach_is_read_by_a_pod(
    nmt_k8s, cluster, storage_pod, monkeypatch, capsys
):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    install(cluster, storage="s3://bucket?endpoint_override=127.0.0.1:1&scheme=http")
    storage_pod(0, "done there")
    assert nmt_k8s("traffic") == 0
    assert capsys.readouterr().out == "done there\n"
