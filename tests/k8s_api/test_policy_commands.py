"""What `nmt-k8s` makes for users of the Role, which their own token may create."""

from typing import Any

import pytest

from k8s.api.client import KubernetesCluster
from k8s.api.cluster import BATCH_JOB, kind_of
from k8s.api.connection import connection_of
from k8s.api.transport import Transport
from k8s.cli.main import main
from k8s.objects.code_archive import CodeArchive
from k8s.objects.manifests import owned_by
from nmt.errors import ClusterError
from nmt.runs.steps import STEPS
from tests.support.chart.rendering import JsonObject
from tests.support.k8s.applied_release import RELEASE, Applied, as_account
from tests.support.k8s.user_requests import (
    FIELD,
    SECRET,
    Ask,
    changed,
    code,
    command,
    env,
    job,
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"steps": ("tune",)},
        {"pods": 0},
        {"image": "registry.example/mine:2"},
        {"queue": "nights"},
        {"code": CodeArchive(b"zip", "1"), "code_map": "nmt-code-1"},
        {"to": f"{RELEASE}-cluster", "pods": 0},
        {
            "to": f"{RELEASE}-cluster",
            "pods": 0,
            "code": CodeArchive(b"zip", "1"),
            "code_map": "nmt-code-1",
        },
    ],
    ids=["default", "search", "no workers", "image", "queue", "code", "to", "code to"],
)
def test_what_nmt_k8s_submits_is_allowed(
    release: Applied, refusal: Ask, changes: dict[str, Any]
) -> None:
    assert refusal(job(release, **changes)) == ""


def test_the_commands_on_the_storage_are_allowed(release: Applied, refusal: Ask) -> None:
    assert refusal(command(release)) == ""


def test_code_with_its_owner_is_allowed(release: Applied, refusal: Ask) -> None:
    owned = owned_by(code(release), {"metadata": {"name": "mine", "uid": "b"}})
    assert refusal(owned) == ""


def test_a_pod_may_read_its_own_fields(release: Applied, refusal: Ask) -> None:
    assert refusal(changed(job(release), env(**FIELD))) == ""


class Trying(KubernetesCluster):
    """A cluster on which objects are tried instead of created."""

    took_command = False

    def create(self, body: JsonObject, *, dry_run: bool = True) -> JsonObject | None:
        made = super().create(body, dry_run=True)
        if kind_of(body) == BATCH_JOB:
            self.took_command = True
            raise ClusterError("no Pod will run")
        return made


def trying(release: Applied) -> Trying:
    """The cluster as a user of the Role sees it."""
    connection = connection_of(as_account(release, f"{RELEASE}-user").configuration, "the user")
    return Trying(Transport(connection), release.namespace)


STEPS_TRIED = [*STEPS, "pipeline"]
TRANSLATED = ["submit", "translate", "--input", "a.txt", "--output", "b.txt"]


@pytest.mark.parametrize(
    "words",
    [
        *(["submit", step, "run=a", "--detach"] for step in STEPS_TRIED),
        ["submit", "train", "run=a", "--detach", "--working-dir", "docker"],
        ["submit", "train", "run=a", "--detach", "--image", "registry.example/mine:2"],
        ["submit", "train", "run=a", "--detach", "--queue", "nights", "--pods", "2"],
        ["submit", "train", "run=a", "--detach", "--to", f"{RELEASE}-cluster"],
        [*TRANSLATED, "--detach"],
        ["promote", "run=a"],
        ["rollback"],
        ["traffic"],
        ["status", "run=a"],
        ["status"],
        ["list"],
        ["logs", "gone"],
        ["keys", "list"],
        ["keys", "create", "laptop"],
    ],
    ids=" ".join,
)
def test_every_command_of_nmt_k8s_is_allowed(release: Applied, words: list[str]) -> None:
    cluster = trying(release)
    code = main(words, connect=lambda context, namespace: cluster)
    assert cluster.took_command or code == 0


def test_doctor_finds_all_rights_and_the_policy(
    release: Applied, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = trying(release)
    main(["doctor"], connect=lambda context, namespace: cluster)
    said = capsys.readouterr().out
    assert "that are needed" in said
    assert "a Job with the rights of another account is refused" in said


def test_a_refusal_says_what_to_do(release: Applied) -> None:
    cluster = trying(release)
    with pytest.raises(
        ClusterError, match=r"a policy .* refuses to create rayjobs.*env 'MORE'.*nmt-release"
    ):
        cluster.create(changed(job(release), env(**SECRET)))
