"""Random histories of a campaign: whatever happens, what must never happen does not."""

from pathlib import Path
from random import Random
from typing import get_args

import pytest

from k8s.api.cluster import CAMPAIGN
from nmt.rollout import Counts, newest_rollout
from nmt.runs.gate import GateVerdict
from nmt.runs.gate_record import find_decision
from tests.support.k8s.campaign_world import CONFIG, DATA, ROUTE, World
from tests.support.k8s.release_fields import release_fields
from tests.support.rollouts import CLEAN, HARM

_STEPS = 40
_ACTIONS = ["promote", "abort", "rollback", "retry", "pause", "resume"]


class _Walk:
    """A campaign to which something random happens."""

    def __init__(self, root: Path, seed: int) -> None:
        self.random = Random(seed)
        self.world = World(root, release_fields())
        self.world.write_corpus("0")
        self.world.apply(config=CONFIG | DATA)
        self.told = 0
        self.served: str | None = None

    def step(self) -> None:
        """Let one thing happen, and call the operator."""
        world, random = self.world, self.random
        event = random.choice(
            ["nothing", "finish", "finish", "finish", "fail", "data", "spec", "act", "suspend",
             "resume", "forget status", "restart", "clean", "clean", "harm", "verdict"]
        )  # fmt: skip
        if event == "finish":
            world.finish_jobs()
        elif event == "fail":
            world.fail_jobs()
        elif event == "data":
            world.write_corpus(str(random.random()))
        elif event == "spec":
            world.apply(config=CONFIG | DATA | {"seed": random.randrange(3)})
        elif event == "act":
            self.told += 1
            reason = random.choice(["", "people prefer it"])
            world.tell(str(self.told), random.choice(_ACTIONS), reason)
        elif event in ("suspend", "resume"):
            world.apply(suspend=event == "suspend")
        elif event == "forget status":
            world.cluster.objects[CAMPAIGN.name, "clinic"].pop("status", None)
        elif event == "restart":
            world.restart()
        elif event in ("clean", "harm"):
            self.count(CLEAN if event == "clean" else HARM)
        elif event == "verdict":
            current = world.record().current
            verdict = random.choice(get_args(GateVerdict))
            if current:
                world.verdicts[f"clinic-r{current.number}"] = verdict
        world.wait(random.choice([1, 30, 60, 600]))

    def count(self, counts: dict[str, Counts]) -> None:
        """Let the canary, if one runs, count something."""
        found = newest_rollout(self.world.storage, "default", ROUTE)
        if found and found.is_active:
            self.world.count(counts)

    def check(self) -> None:
        """Check what must hold after everything that happens."""
        world = self.world
        live = world.live_jobs()
        assert len(live) <= 1, "two jobs work on one campaign"
        current = world.record().current
        for job in live:
            assert current
            assert job["metadata"]["labels"]["nmt/run"] == current.run
        numbers = [each.number for each in world.record().revisions]
        assert numbers == sorted(set(numbers))
        self._check_served()

    def _check_served(self) -> None:
        """Check that a new engine serves only if it was accepted, forced, or served before."""
        world, now = self.world, self.world.serving()
        if now is None or now == self.served:
            return
        route = world.route()
        run = next(each.run for each in world.record().revisions if world.made(each.run, now))
        decision = find_decision(world.storage, run, now)
        accepted = decision is not None and decision.verdict == "accept"
        # After a rollback the engine was accepted or forced when it served first.
        assert accepted or now in route.forced, f"{run} serves, but its gate said {decision}"
        self.served = now


@pytest.mark.parametrize("seed", range(12))
def test_no_history_makes_two_jobs_or_lets_an_engine_serve_that_was_not_accepted(
    tmp_path: Path, seed: int
) -> None:
    walk = _Walk(tmp_path, seed)
    for _ in range(_STEPS):
        walk.step()
        walk.check()


@pytest.mark.parametrize("seed", range(6))
def test_every_history_comes_to_rest(tmp_path: Path, seed: int) -> None:
    walk = _Walk(tmp_path, seed)
    for _ in range(_STEPS):
        walk.step()
    world = walk.world
    world.apply(suspend=False)
    world.untell()
    for _ in range(30):
        world.wait(120)
        walk.count(CLEAN)
        world.finish_jobs()
    version = world.cluster.store.version
    for _ in range(3):
        world.wait(600)
    assert world.cluster.store.version == version, world.status().message
