"""Plant bugs in the operator, one at a time, and count how many the tests find.

`python benchmarks/operator_mutants.py [NUMBER ...]`. Each bug is a replaced text in a copy of the
checkout; the tests are those of the operator, with fewer schedules of faults than `make test` has.
"""

import argparse
import logging
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import nmt
import nmt.config

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("k8s", "nmt", "tests", "ray_jobs", "helm")
TESTS = (
    "tests/unit/k8s/test_lease.py",
    "tests/unit/k8s/test_work_queue.py",
    "tests/unit/k8s/test_follow.py",
    "tests/unit/k8s/test_controller.py",
    "tests/unit/k8s/test_client_changes.py",
    "tests/unit/k8s/test_operator_races.py",
    "tests/unit/rollout/test_rollout_crashes.py",
    "tests/unit/rollout/test_rollout_pauses.py",
    "tests/unit/rollout/test_rollout_races.py",
    "tests/unit/k8s/test_campaign_story.py",
    "tests/unit/k8s/test_campaign_people.py",
    "tests/unit/k8s/test_campaign_limits.py",
)
_LIMIT_SECONDS = 600.0
_ENDLESS = f"the tests did not end in {_LIMIT_SECONDS:.0f} s"
"""What a bug has done that lets the operator act for ever."""
MUTATED = ("k8s", "tests", "nmt.rollout")
"""Packages that are imported anew for each bug."""
PLAN, LOOP = "k8s/operator/plan", "k8s/operator/loop"
BEGIN, SETTLE, FOLLOW = (f"nmt/rollout/{name}.py" for name in ("begin", "settle", "follow"))


@dataclass(frozen=True)
class Mutant:
    """A bug: a text that stands once in a file, and what takes its place."""

    what: str
    file: str
    old: str
    new: str


MUTANTS = (
    Mutant("a job is created beside one that is being deleted", f"{PLAN}/steps.py",
           "if job.deleting or not job.has_ended), None)", "if False), None)"),
    Mutant("a job that has ended counts as working", f"{PLAN}/steps.py",
           "for job in own if not job.has_ended), None)", "for job in own), None)"),
    Mutant("a failed job is started again for ever", f"{PLAN}/steps.py",
           "return _after(covering[-1], missing[0], now) if covering else Create(planned)",
           "return Create(planned)"),
    Mutant("jobs of an earlier attempt count", f"{PLAN}/steps.py",
           "return (job.revision, job.attempt) == (revision.number, revision.attempt)",
           "return job.revision == revision.number"),
    Mutant("jobs of a replaced revision go on", f"{PLAN}/campaign.py",
           "and (suspended or current is None or not is_of(job, current) or",
           "and (suspended or current is None or"),
    Mutant("a suspended campaign keeps its job", f"{PLAN}/campaign.py",
           "and (suspended or current is None", "and (current is None"),
    Mutant("a suspended campaign creates the next job", f"{PLAN}/campaign.py",
           "if held or spec.suspend or observed.problem:", "if held or observed.problem:"),
    Mutant("a deadline goes on in a suspension", f"{PLAN}/campaign.py",
           "if current is None or current.outcome or held == (current.held_since is not None):",
           "if True:"),
    Mutant("a deadline counts the suspensions before", "k8s/operator/revision_record.py",
           "before = self._seconds_held(now)", "before = 0.0"),
    Mutant("the end of a rollout is not recorded", f"{PLAN}/campaign.py",
           "ended = end_of_rollout(observed, current) if current else None\n    if ended:",
           "ended = None\n    if ended:"),
    Mutant("a deleted campaign leaves its canary", f"{PLAN}/campaign.py",
           "if rollout and rollout.is_active:", "if rollout and False:"),
    Mutant("a deleted campaign keeps its route", f"{PLAN}/campaign.py",
           "if route and route.owner == rollout_owner(observed.name):", "if route and False:"),
    Mutant("an action is done again at each look", f"{PLAN}/people.py",
           "if observed.record.has_done(action.id):", "if False:"),
    Mutant("an engine that the gate has not accepted needs no reason", f"{PLAN}/people.py",
           "if not is_accepted and not action.reason.strip():", "if False:"),
    Mutant("a rejected engine is rolled out", f"{PLAN}/rollout.py",
           'if gate.verdict == "reject":', "if False:"),
    Mutant("an undecided engine is rolled out", f"{PLAN}/rollout.py",
           'if gate.verdict == "undecided":', "if False:"),
    Mutant("the canary of an earlier revision goes on", f"{PLAN}/rollout.py",
           "if rollout.is_active and current and rollout.run != current.run:", "if False:"),
    Mutant("a suspension does not pause the canary", f"{PLAN}/rollout.py",
           'if suspended and (rollout.state == "running" or not rollout.held):', "if False:"),
    Mutant("a canary is not resumed after a suspension", f"{PLAN}/rollout.py",
           "elif not suspended and rollout.paused_by_suspension:", "elif False:"),
    Mutant("new data starts a revision at each look", f"{PLAN}/revisions.py",
           "has_new_data = current is None or data.digest != current.data",
           "has_new_data = True"),
    Mutant("changed settings start no revision", f"{PLAN}/revisions.py",
           "if current is None or has_other_settings(observed, current) or",
           "if current is None or"),
    Mutant("the engine that serves is removed", f"{PLAN}/retention.py",
           "return rolls_out or revision.engine in observed.in_use", "return rolls_out"),
    Mutant("an operator that was paused overwrites the record", "k8s/operator/record.py",
           "if (found or CampaignRecord()) != expected:", "if False:"),
    Mutant("an observation mixes what was true at different times", "k8s/operator/observe.py",
           "check_record(name, read_campaign_record(storage, name), observed.record)", "pass"),
    Mutant("the object is read before the record", "k8s/operator/observe.py",
           "        record = read_campaign_record(storage, name)\n"
           "        # After the record: by an older object, the newest revision would seem to be "
           "outdated.\n        body = self.objects.campaign(name)\n",
           "        body = self.objects.campaign(name)\n"
           "        record = read_campaign_record(storage, name)\n"),
    Mutant("an action is recorded before it is done", "k8s/operator/act.py",
           "        result = action.result\n        try:",
           "        result = action.result\n        self._change(lambda record: "
           "record.with_action(DoneAction(id=action.action.id, do=action.action.do, "
           "result=result, at=self.now)))\n        try:"),
    Mutant("a job of another object of the same name counts", "k8s/operator/jobs.py",
           'return any(owner.get("uid") == uid for owner in owners)',
           "return bool(owners)"),
    Mutant("a job is deleted by name alone", "k8s/operator/act.py",
           "self.actor.cluster.delete(RAY_JOB, action.name, uid=action.uid)",
           "self.actor.cluster.delete(RAY_JOB, action.name)"),
    Mutant("two processes begin two rollouts", BEGIN,
           'last = int(newest.id.rpartition("-")[2]) if newest else 0',
           'last = int(earlier[-1].id.rpartition("-")[2]) if earlier else 0'),
    Mutant("an operator that was paused starts a rollout again", BEGIN,
           'if after is not None and (newest.id if newest else "") != after:', "if False:"),
    Mutant("an operator that was paused commands a rollout", "nmt/rollout/run.py",
           "if after is not None and record.events[-1:] != (after,):", "if False:"),
    Mutant("the traffic file is not brought to the record after a crash", SETTLE,
           "    while not (record.settled and not record.is_active):", "    while False:"),
    Mutant("an old traffic file ends the canary", SETTLE,
           "            if newer is None or newer == traffic:\n                raise",
           "            raise"),
    Mutant("a newer record is called settled for an older traffic file", SETTLE,
           "is_same = current.serial == followed.serial", "is_same = True"),
    Mutant("a canary that somebody ended comes back", FOLLOW,
           "if not is_ours and not may_begin:", "if False:"),
    Mutant("another machine's clock decides who leads", f"{LOOP}/lease.py",
           "self._seen, self._seen_at = version_of(body), now",
           "self._seen, self._seen_at = version_of(body), 0.0"),
    Mutant("a lost Lease is not noticed", f"{LOOP}/lease.py",
           "return self.held and self._clocks.monotonic() - self._renewed_at < RENEW_SECONDS",
           "return self.held"),
    Mutant("a Lease counts from the answer", f"{LOOP}/lease.py",
           "            self._renewed_at = now",
           "            self._renewed_at = self._clocks.monotonic()"),
    Mutant("what vanished while nobody watched is not told", f"{LOOP}/follow.py",
           "for name, note in (before | found).items():", "for name, note in found.items():"),
    Mutant("a lost watch begins from now", f"{LOOP}/follow.py",
           '            self._version = ""\n            return False', "            return False"),
    Mutant("a name that changes while it is worked on is forgotten", f"{LOOP}/queue.py",
           "            self._again.add(name)", "            pass"),
    Mutant("retries do not wait longer each time", f"{LOOP}/queue.py",
           "_FIRST_RETRY_SECONDS * 2.0 ** min(failures, 30)", "_FIRST_RETRY_SECONDS"),
)  # fmt: skip


def main() -> int:
    """Plant each bug and print whether a test fails; return 1 if fewer than 95 % are found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", nargs="*", type=int, help="bugs to plant; all if none is given")
    parser.add_argument("--schedules", type=int, default=40, help="schedules for each story")
    options = parser.parse_args()
    chosen = options.numbers or range(1, len(MUTANTS) + 1)
    found = 0
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for folder in FOLDERS:
            shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("*.pyc"))
        for file in ("pyproject.toml", "conftest.py"):
            if (ROOT / file).exists():
                shutil.copy(ROOT / file, copy)
        for number in chosen:
            mutant = MUTANTS[number - 1]
            begun = time.monotonic()
            by = _found_by(copy, mutant, options.schedules)
            found += bool(by)
            seconds = time.monotonic() - begun
            print(f"{number:2} {mutant.what}: {by or 'NOT FOUND'} ({seconds:.0f} s)", flush=True)
    print(f"found {found} of {len(chosen)}")
    return 0 if found >= 0.95 * len(chosen) else 1


def _found_by(copy: Path, mutant: Mutant, schedules: int) -> str:
    """Return the first test that fails with a bug; empty if all pass."""
    path = copy / mutant.file
    text = path.read_text("utf-8")
    if text.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.file} has {text.count(mutant.old)} times: {mutant.old}")
    path.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    try:
        return _violation(copy, schedules) or _first_failure(copy)
    finally:
        path.write_text(text, "utf-8")


def _violation(copy: Path, schedules: int) -> str:
    """Return the first story that comes to another end with a bug; empty if none does."""
    receive, send = multiprocessing.Pipe(duplex=False)
    # Forked, because the settings and their schemas, which have no bug, take seconds to import.
    child = multiprocessing.get_context("fork").Process(
        target=_tell_stories, args=(str(copy), schedules, send)
    )
    child.start()
    child.join(_LIMIT_SECONDS)
    if child.is_alive():
        child.kill()
        return _ENDLESS
    return receive.recv() if receive.poll() else "the process died"


def _tell_stories(copy: str, schedules: int, send: Connection) -> None:
    sys.path.insert(0, copy)
    nmt.__path__.insert(0, f"{copy}/nmt")
    for name in list(sys.modules):
        if name.startswith(MUTATED):
            del sys.modules[name]
    logging.disable(logging.CRITICAL)
    from tests.support.k8s.fault_schedules import Explorer
    from tests.support.k8s.fault_stories import ENDS, STORIES
    from tests.support.k8s.faults import faulty_world
    from tests.support.k8s.release_fields import release_fields

    for name, story in STORIES.items():
        with faulty_world(release_fields(), story.events) as world:
            world.verdicts = dict(story.verdicts)
            explorer = Explorer(world, world.keep(), story.spared)
            try:
                explorer.tell()
                if explorer.end() != ENDS[name]:
                    raise AssertionError(explorer.end())
                for seed in range(schedules):
                    explorer.follow(seed)
            except BaseException as error:
                where = str(error).partition(":")[0][:40] or type(error).__name__
                send.send(f"story '{name}' ({where})")
                return
    send.send("")


def _first_failure(copy: Path) -> str:
    """Return the first of the other tests that fails with a bug; empty if all pass."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS],
            cwd=copy,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return _ENDLESS
    if done.returncode == 0:
        return ""
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split("::")[-1].split(" - ")[0] if failed else done.stdout[-300:]


if __name__ == "__main__":
    sys.exit(main())
