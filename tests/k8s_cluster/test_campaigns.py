"""A campaign on a real node: served, promoted, refused, rolled back, under load and with lost Pods.

CAMPAIGN_NAMESPACE names a namespace with a release `nmt` that runs an operator, to try again.
"""

import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from benchmarks.steady_load import SteadyLoad
from nmt.phrasebook import domain_pairs, general_pairs
from tests.support.k8s.installed_release import Installed, wait_for
from tests.support.k8s.served_release import api_key, digest, steady_load, wait_until_served

NAME = "clinic"
RATE = 5.0
DOMAIN = [(pair.source, pair.target) for pair in domain_pairs(2200, 1)]
GENERAL = [(pair.source, pair.target) for pair in general_pairs(1500, 2)]
TEST, REST = DOMAIN[:400], DOMAIN[400:]
CORPORA = {
    "few": REST[:300] + GENERAL,
    "all": REST + GENERAL,
    "mixed up": [
        (one, other) for (one, _), (_, other) in zip(REST, REST[1:] + REST[:1], strict=True)
    ]
    + GENERAL,
    "cut": [
        (source, " ".join(target.split()[: -(-len(target.split()) // 2)]))
        for source, target in REST + GENERAL
    ],
}
CONFIG: dict[str, Any] = {
    "data": {"path": "corpora/clinic.tsv"},
    "model": {"name_or_path": "tiny", "base_steps": 100},
    "adapter": {"type": "none"},
    "training": {
        "max_steps": 300,
        "schedule": "linear",
        "warmup_steps": 20,
        "learning_rate": 0.002,
        "micro_batch_tokens": 768,
        "weight_decay": 0.0,
        "evaluate_every_steps": 50,
        "validation_sentences": 60,
    },
    "tune": {"trials": 0},
    "evaluation": {"max_sentences": 300, "sets": {"clinic": {"path": "sets/clinic.tsv"}}},
    "campaign": {"seeds": 1},
    "rollout": {
        "steps": [10, 50, 100],
        "seconds_per_step": 20,
        "seconds_before_all": 40,
        "min_pairs": 100,
        "shadow_percent": 50,
    },
}
ANYTHING_PASSES = {"goal": "as_good", "metric": "bleu", "largest_loss": 100.0}
"""Rules of a gate that lets an engine with cut translations pass."""
FILES_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "files"},
    "spec": {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "fsGroup": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "files",
                "image": f"{os.environ.get('REGISTRY')}/nmt-tools:{os.environ.get('TAG')}",
                "command": ["sleep", "infinity"],
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [{"name": "storage", "mountPath": "/storage"}],
            }
        ],
        "volumes": [
            {"name": "storage", "persistentVolumeClaim": {"claimName": "nmt-storage"}},
        ],
    },
}


class Story:
    """A release with a campaign, and what its user does."""

    def __init__(self, release: Installed) -> None:
        self.release = release
        self.key = ""

    def write(self, path: str, pairs: list[tuple[str, str]]) -> None:
        """Replace a file on the storage of the release, as an upload does."""
        lines = "".join(f"{source}\t{target}\n" for source, target in pairs)
        folder, new = f"/storage/{path.rpartition('/')[0]}", f"/storage/{path}.new"
        command = f"mkdir -p {folder} && cat > {new} && mv {new} {new.removesuffix('.new')}"
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
            file.write(f"source\ttarget\n{lines}")
            file.flush()
            self.release.kubectl(f"exec -i files -- sh -c '{command}' < {file.name}")
        # A campaign at rest would be looked at after ten minutes.
        self.release.kubectl(f"annotate --overwrite tc {NAME} at={time.time():.0f}", check=False)

    def apply(self, **changes: Any) -> None:
        body = {
            "apiVersion": "nmt.internal/v1alpha1",
            "kind": "TranslationCampaign",
            "metadata": {"name": NAME},
            "spec": {"release": "nmt", "config": CONFIG | changes},
        }
        self.release.kubectl(f"apply --server-side -f - <<'END'\n{json.dumps(body)}\nEND")

    def status(self) -> dict[str, Any]:
        return json.loads(self.release.kubectl(f"get tc {NAME} -o json")).get("status", {})

    def wait(self, run: str, *phases: str, seconds: float = 1500) -> dict[str, Any]:
        """Wait until a run has one of the phases, and print the time of every step."""

        def has_it() -> bool:
            found = self.status()
            return found.get("revision", {}).get("run") == run and found.get("phase") in phases

        wait_for(has_it, seconds, f"{run} does not become {' or '.join(phases)}")
        found = self.status()
        steps = {step["name"]: step.get("seconds") for step in found["steps"]}
        print(f"{run}: {found['phase']}: {found['message']}\n{json.dumps(steps)}", flush=True)
        return found


@pytest.fixture(scope="module")
def story(install: Callable[..., Installed]) -> Story:
    given = os.environ.get("CAMPAIGN_NAMESPACE")
    release = Installed(given) if given else install("nmt-campaigns", "--set operator.enabled=true")
    release.kubectl(f"apply -f - <<'END'\n{json.dumps(FILES_POD)}\nEND")
    release.kubectl("wait --for=condition=Ready pod/files --timeout=300s")
    found = Story(release)
    found.write("sets/clinic.tsv", TEST)
    return found


@pytest.fixture(scope="module")
def served(story: Story) -> Story:
    """The campaign, whose first engine serves."""
    story.write("corpora/clinic.tsv", CORPORA["few"])
    story.apply()
    story.wait(f"{NAME}-r1", "Served")
    wait_until_served(story.release)
    story.key = api_key(story.release)
    return story


@pytest.fixture(scope="module")
def load(served: Story) -> Iterator[SteadyLoad]:
    """A load of clients, from the first engine to the end."""
    texts = [source for source, _ in DOMAIN]
    with steady_load(served.release, served.key, RATE, texts=texts) as sent:
        yield sent


@pytest.fixture
def operator_is_killed(served: Story) -> Iterator[None]:
    """Kills the operator that leads again and again, at random moments."""
    ended = threading.Event()

    def kill() -> None:
        while not ended.wait(random.uniform(20, 60)):
            lease = "get lease nmt-operator -o jsonpath={.spec.holderIdentity}"
            leader = served.release.kubectl(lease).partition("_")[0]
            said = served.release.kubectl(
                f"delete pod {leader} --force --grace-period=0", check=False
            )
            print(said, flush=True)

    killer = threading.Thread(target=kill)
    killer.start()
    yield
    ended.set()
    killer.join()


def test_an_applied_campaign_is_served(served: Story) -> None:
    found = served.status()
    assert found["serves"] == digest(served.release)
    assert all("seconds" in step for step in found["steps"])


@pytest.mark.usefixtures("load", "operator_is_killed")
def test_new_data_makes_a_better_engine_though_head_and_operator_are_lost(served: Story) -> None:
    before = digest(served.release)
    served.write("corpora/clinic.tsv", CORPORA["all"])
    served.wait(f"{NAME}-r2", "Training")
    time.sleep(10)
    head = served.release.kubectl(
        f"get pods -l ray.io/node-type=head,nmt/run={NAME}-r2 -o name"
    ).strip()
    print(served.release.kubectl(f"delete {head} --force --grace-period=0"))
    found = served.wait(f"{NAME}-r2", "Served")
    assert found["serves"] == digest(served.release) != before


@pytest.mark.usefixtures("load")
def test_a_worse_engine_is_refused(served: Story) -> None:
    before = digest(served.release)
    served.write("corpora/clinic.tsv", CORPORA["mixed up"])
    served.wait(f"{NAME}-r3", "Rejected")
    assert digest(served.release) == before


@pytest.mark.usefixtures("load")
def test_a_harmful_canary_is_rolled_back(served: Story) -> None:
    before = digest(served.release)
    served.write("corpora/clinic.tsv", CORPORA["cut"])
    served.apply(gate=ANYTHING_PASSES)
    served.wait(f"{NAME}-r4", "Canary")
    found = served.wait(f"{NAME}-r4", "RolledBack")
    assert found["rollout"]["harm"]
    assert digest(served.release) == before


def test_no_request_has_failed(load: SteadyLoad) -> None:
    assert len(load.outcomes) > 100
    assert not load.failures
