"""A cluster, a storage root and a clock in which campaigns are reconciled.

The jobs are those of a KubeRay that does nothing until it is told to, and then leaves the records
that the real steps leave.
"""

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from k8s.api.cluster import CAMPAIGN, CONFIG_MAP, RAY_JOB, JsonObject
from k8s.objects.campaign.campaign import Campaign
from k8s.objects.campaign.status import CampaignStatus, time_of
from k8s.objects.release import KEY
from k8s.operator.act import Actor
from k8s.operator.objects import ClusterObjects
from k8s.operator.observe import Observer
from k8s.operator.reconcile import Reconciler
from k8s.operator.record import CampaignRecord, read_campaign_record
from nmt.config import digest_of
from nmt.rollout import Counts
from nmt.runs import layout
from nmt.runs.gate import GateVerdict
from nmt.runs.records import Record, find_record
from nmt.runs.steps import EXPORT, GATE, STEPS
from nmt.storage import Storage
from nmt.traffic import Route, Traffic, change_traffic, read_traffic, stable_engine
from tests.support.k8s.fake_cluster import FakeCluster
from tests.support.rollouts import Rollouts
from tests.support.runs.evaluated_run import leave_engine
from tests.support.runs.gate_record import leave_decision

ROUTE = "eng_Latn-tam_Taml"
NAME = "clinic"
RELEASE = "demo"
CONFIG: dict[str, Any] = {
    "tune": {"trials": 2},
    "rollout": {"seconds_per_step": 0, "seconds_before_all": 0},
}
DATA = {"data": {"path": "corpora/mine.tsv"}}
_RESULTS: dict[str, dict[str, Any]] = {
    "prepare": {"sizes": {"train": 90, "validation": 5}},
    "base": {"license": "mit"},
    "tune": {
        "best": {"config": {"training.learning_rate": 0.1}, "state": "finished", "number": 3,
                 "bleu": 30.0, "score": 30.0, "checkpoints": "x"},
        "trials": [{"config": {"training.learning_rate": 0.1}, "state": "finished", "number": 3}],
    },
    "train": {"trained_parameters": 10, "left_out": 0, "steps": 20},
    "variants": {"metric": "bleu"},
    "evaluate": {},
}  # fmt: skip


class World:
    """One namespace with a release, its storage, and its operator."""

    def __init__(self, root: Path, release: JsonObject, limit: int = 0) -> None:
        self.now = 1_790_000_000.0
        self.cluster = FakeCluster()
        self.root = root
        self.storage = Storage(str(root / "runs"))
        self.has_new_data = False
        self.verdicts: dict[str, GateVerdict] = {}
        """Run -> what its gate says; accept if it is not named."""
        self.same_as: dict[str, str] = {}
        """Run -> the earlier run whose engine it makes again."""
        fields = release | {"storage": str(root), "name": RELEASE, "maxActive": limit}
        labels = {"app.kubernetes.io/component": "release"}
        name = f"{RELEASE}-release"
        self.cluster.add(
            CONFIG_MAP, name, metadata={"name": name, "labels": labels}, data={KEY: _json(fields)}
        )
        self.restart()

    def restart(self) -> None:
        """Replace the operator by a new process, which remembers nothing."""
        observer = Observer(self.cluster, ClusterObjects(self.cluster), RELEASE)
        actor = Actor(self.cluster, observer.looked_at)
        self.reconciler = Reconciler(observer, actor)

    def apply(self, name: str = NAME, **spec: Any) -> None:
        """Create a campaign, or change fields of its spec."""
        found = self.cluster.objects.get((CAMPAIGN.name, name))
        if found is None:
            body = {"release": RELEASE, "config": CONFIG} | spec
            metadata = {
                "name": name,
                "namespace": "team",
                "generation": 1,
                "creationTimestamp": "2026-09-21T00:00:00Z",
            }
            self.cluster.add(
                CAMPAIGN, name, apiVersion=CAMPAIGN.api_version, metadata=metadata, spec=body
            )
            return
        found["spec"] |= spec
        found["metadata"]["generation"] += 1

    def write_corpus(self, text: str, name: str = "mine.tsv") -> None:
        """Write the data of the campaign, as old as a copy that keeps the times of files."""
        path = self.root / "corpora" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        os.utime(path, (self.now - 86_400, self.now - 86_400))
        self.has_new_data = True
        self.now += 60

    def let_data_settle(self, name: str = NAME) -> None:
        """Let the operator see new data, and the time pass after which it is complete."""
        self.reconcile(name)
        self.has_new_data = False
        self.now += 60

    def tell(self, action_id: str, do: str, reason: str = "", name: str = NAME) -> None:
        """Set the action of a campaign."""
        self.apply(name, action={"id": action_id, "do": do, "reason": reason})

    def untell(self, name: str = NAME) -> None:
        """Take the action away."""
        self.cluster.objects[CAMPAIGN.name, name]["spec"].pop("action", None)

    def reconcile(self, name: str = NAME) -> float | None:
        """Call the operator once."""
        return self.reconciler.reconcile(name, self.now)

    def wait(self, seconds: float, name: str = NAME) -> CampaignStatus:
        """Let time pass, and call the operator."""
        self.now += seconds
        self.reconcile(name)
        return self.status(name)

    def status(self, name: str = NAME) -> CampaignStatus:
        """Return what the campaign reports."""
        return Campaign.parse(self.cluster.objects[CAMPAIGN.name, name]).status

    def record(self, name: str = NAME) -> CampaignRecord:
        """Return what the operator remembers."""
        return read_campaign_record(self.storage, name) or CampaignRecord()

    def delete(self, name: str = NAME) -> None:
        """Delete a campaign with its jobs, and let the operator see it."""
        self.cluster.delete(CAMPAIGN, name)
        self.reconcile(name)

    def jobs(self) -> list[JsonObject]:
        """List the RayJobs."""
        return [body for (kind, _), body in self.cluster.objects.items() if kind == RAY_JOB.name]

    def live_jobs(self) -> list[JsonObject]:
        """List the RayJobs that have not ended."""
        ends = ("Complete", "Failed")
        return [
            job
            for job in self.jobs()
            if job.get("status", {}).get("jobDeploymentStatus") not in ends
        ]

    def finish_jobs(self) -> list[str]:
        """Let all RayJobs succeed, and return their names; no gate judges what serves already."""
        names = [job["metadata"]["name"] for job in self.live_jobs()]
        for job in self.live_jobs():
            run, steps = (job["metadata"]["labels"][key] for key in ("nmt/run", "nmt/step"))
            found = steps.split(".")
            serves = found[-1] == GATE.name and self.engine(run) == self.serving()
            for step in found[:-1] if serves else found:
                self.leave(run, step)
            if serves:
                said = f"engine {self.engine(run)} serves already: there is nothing to decide"
                self.end(job, "FAILED", reason="AppFailed", message=said)
            else:
                self.end(job, "SUCCEEDED")
        return names

    def fail_jobs(self, message: str = "") -> None:
        """Let all RayJobs fail."""
        for job in self.live_jobs():
            said = message or "Job entrypoint command failed with exit code 1, last logs:"
            self.end(job, "FAILED", reason="AppFailed", message=said)

    def end(self, job: JsonObject, outcome: str, **status: str) -> None:
        """Let one RayJob end."""
        deployment = "Complete" if outcome == "SUCCEEDED" else "Failed"
        self.cluster.set_status(
            job["metadata"]["name"],
            jobDeploymentStatus=deployment,
            jobStatus=outcome,
            startTime=_stamp(self.now - 60),
            endTime=_stamp(self.now),
            **status,
        )

    def leave(self, run: str, step: str) -> None:
        """Leave the record of a step, as if it had been done."""
        engine = self.engine(run)
        if step == GATE.name:
            serving = stable_engine(self.storage, "default", ROUTE)
            verdict = self.verdicts.get(run, "accept")
            leave_decision(self.storage, run, verdict, engine=engine, baseline=serving)
            return
        result = _RESULTS.get(step, {})
        if step == EXPORT.name:
            leave_engine(self.storage, engine)
            result = {"engine": engine, "format": "ctranslate2", "logit_difference": 0.0,
                      "license": "mit"}  # fmt: skip
        record = Record(
            step, True, {}, {}, output=engine, seconds=7.0, ended=self.now, result=result
        )
        self.storage.write_json(layout.step_record(run, STEPS[step]), asdict(record))

    def count(self, counts: dict[str, Counts]) -> None:
        """Let a replica report what it has counted of the running canary."""
        time = datetime.fromtimestamp(self.now, UTC)
        Rollouts(self.storage, time).report(counts)

    def roll_out(self, counts: dict[str, Counts], name: str = NAME) -> CampaignStatus:
        """Let the canary count the same at each look until it has ended."""
        for _ in range(10):
            if self.status(name).phase != "Canary":
                return self.status(name)
            self.count(counts)
            self.wait(60, name)
        raise AssertionError(f"the canary does not end: {self.status(name).message}")

    def serve_other(self, engine: str) -> None:
        """Let the route serve an engine of somebody else, who has taken the route over."""
        leave_engine(self.storage, engine)

        def change(traffic: Traffic | None) -> Traffic:
            assert traffic
            route = traffic.route(ROUTE)
            return traffic.with_route(ROUTE, route.promoted(engine).with_owner(route.owner))

        change_traffic(self.storage, "default", change, owner=self.route().owner)

    def change_baseline(self, run: str, engine: str) -> None:
        """Let the gate of a run have compared with an engine."""
        verdict = self.verdicts.get(run, "accept")
        leave_decision(self.storage, run, verdict, engine=engine_of(run), baseline=engine)

    def leave_same_engine(self, run: str, other: str) -> None:
        """Leave a run of somebody whose engine is that of another run."""
        for step in ("prepare", EXPORT.name):
            record = Record(step, True, {}, {}, output=engine_of(other))
            self.storage.write_json(layout.step_record(run, STEPS[step]), asdict(record))

    def run_until_rest(self, name: str = NAME, *, most: int = 20) -> CampaignStatus:
        """Reconcile and finish jobs until nothing happens any more; new data is complete then."""
        if self.has_new_data:
            self.let_data_settle(name)
        for _ in range(most):
            self.reconcile(name)
            if not self.finish_jobs():
                return self.status(name)
        raise AssertionError(f"still at work after {most} turns: {self.status(name).message}")

    def serve_first(self) -> None:
        """Serve the engine that the first data has made."""
        self.write_corpus("first")
        self.apply(config=CONFIG | DATA)
        assert self.run_until_rest().phase == "Served"

    def begin_canary(self) -> None:
        """Serve an engine, and begin the canary of the next one, which new data has made."""
        self.serve_first()
        self.write_corpus("second")
        assert self.run_until_rest().phase == "Canary"

    def engine(self, run: str) -> str:
        """Return the digest of the engine that a run makes."""
        return engine_of(self.same_as.get(run, run))

    def serving(self) -> str | None:
        """Return the engine that answers."""
        return stable_engine(self.storage, "default", ROUTE)

    def route(self) -> Route:
        """Return the route that the campaign serves."""
        traffic = read_traffic(self.storage, "default")
        assert traffic
        return traffic.route(ROUTE)

    def made(self, run: str, engine: str) -> bool:
        """Tell whether the jobs of a run make this engine."""
        return engine_of(run) == engine

    def exported(self, run: str) -> bool:
        """Tell whether a run has an engine."""
        return find_record(self.storage, run, EXPORT) is not None


def engine_of(run: str) -> str:
    """Return the digest of the engine that the jobs of a run make."""
    return digest_of(run)


def _json(fields: JsonObject) -> str:
    return json.dumps(fields)


def _stamp(seconds: float) -> str:
    return time_of(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")
